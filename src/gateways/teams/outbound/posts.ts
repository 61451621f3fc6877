import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import type { TeamsApi } from './api.ts';
import { activityOf, type TeamsPart } from './compose-parts.ts';
import type { Destination } from './conversations.ts';
import { takeTurn } from './pacing.ts';

export type TeamsPosts = {
  /** Answers Teams' id of it. @throws {GatewayError} */
  post(channel: OpenChannel, to: Destination, activity: object, signal: AbortSignal): Promise<string>;
  /** `gone`: there is no such message any more, or it cannot be changed. @throws {GatewayError} */
  edit(
    channel: OpenChannel,
    to: Destination,
    id: string,
    part: TeamsPart,
    signal: AbortSignal,
  ): Promise<'edited' | 'gone'>;
  /** One that is not there is deleted already. @throws {GatewayError} */
  remove(channel: OpenChannel, to: Destination, id: string, signal: AbortSignal): Promise<void>;
};

/** Posts, edits and deletes one message at a time, at Teams' pace. */
export function createTeamsPosts({ api, pacer }: { api: TeamsApi; pacer: Pacer }): TeamsPosts {
  return {
    async post(channel, to, activity, signal) {
      await takeTurn(pacer, channel, to.conversationId, signal);
      const { id } = await api.call(channel, to.serviceUrl, 'adding', signal, (connector, call) =>
        connector.create(call, to.conversationId, activity),
      );
      if (id) return id;
      throw new GatewayError('unavailable', 'Teams took a message without naming it.', {
        mayHaveArrived: true,
      });
    },

    async edit(channel, to, id, part, signal) {
      await takeTurn(pacer, channel, to.conversationId, signal);
      try {
        await api.call(channel, to.serviceUrl, 'changing', signal, (connector, call) =>
          connector.update(call, to.conversationId, id, { ...activityOf(part), id }),
        );
        return 'edited';
      } catch (error) {
        if (isGone(error)) return 'gone';
        throw error;
      }
    },

    async remove(channel, to, id, signal) {
      await takeTurn(pacer, channel, to.conversationId, signal);
      await api
        .call(channel, to.serviceUrl, 'changing', signal, (connector, call) =>
          connector.remove(call, to.conversationId, id),
        )
        .catch((error: unknown) => {
          if (!isGone(error)) throw error;
        });
    },
  };
}

/** What is said of one message. Of the conversation as a whole it is said in the same codes, and the next post tells. */
const goneCodes: ReadonlySet<string> = new Set([
  ...['ActivityNotFound', 'ActivityNotFoundInConversation', 'MessageNotFound', 'ContentStreamNotAllowed'],
]);

function isGone(error: unknown): boolean {
  return error instanceof GatewayError && goneCodes.has(error.platformCode ?? '');
}
