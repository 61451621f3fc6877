import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { ConversationReferences } from '../../journey.ts';
import { placeOf, settingsOf } from '../channel.ts';
import { readPlace, referenceKeyOf } from '../places.ts';
import { readReference, type TeamsReference } from '../reference.ts';
import type { TeamsApi } from './api.ts';

/** Where something is sent: at an address that Teams has signed, in a conversation of its own. */
export type Destination = { serviceUrl: string; conversationId: string };

export interface Conversations {
  /** The chat with a person is made when there is none yet. @throws {GatewayError} */
  find(channel: OpenChannel, place: string, signal: AbortSignal): Promise<Destination>;
  /** Teams takes nothing there: it is not tried again until the person writes or the app is installed again. */
  block(channel: OpenChannel, place: string): Promise<void>;
}

const blocked = 'Teams takes no messages there: the app was removed, or the person has blocked it.';
/** How soon a blocked conversation is looked at again; Teams is not asked. Once it is unblocked, what waits is due. */
const blockedRetryMs = 5 * 60_000;

export function createConversations({
  api,
  references,
}: {
  api: TeamsApi;
  references: ConversationReferences;
}): Conversations {
  return {
    async find(channel, place, signal) {
      const key = referenceKeyOf(place);
      const known = await references.find(placeOf(channel), key);
      if (known?.blockedReason !== undefined)
        throw new GatewayError('not_now', known.blockedReason, { retryAfterMs: blockedRetryMs });
      const own = known && ofThisChannel(readReference(known.reference), channel);
      const at = readPlace(place);
      const conversationId = at.kind === 'conversation' ? at.id : own?.conversationId;
      if (own && conversationId !== undefined) return { serviceUrl: own.serviceUrl, conversationId };

      // Nobody has written there; all of a tenant are at the same address.
      const latest = await references.findLatest(placeOf(channel));
      const neighbour = latest && ofThisChannel(readReference(latest.reference), channel);
      if (!neighbour)
        throw new GatewayError(
          'recipient_gone',
          'Teams has not told yet how to reach this tenant: somebody has to install the app or write to it first.',
        );
      if (at.kind === 'conversation') return { serviceUrl: neighbour.serviceUrl, conversationId: at.id };
      return create(channel, at.user, neighbour, signal);
    },

    async block(channel, place) {
      const key = referenceKeyOf(place);
      const reference = await referenceTo(channel, key);
      if (reference)
        await references.block(placeOf(channel), {
          ...{ conversationExternalId: key, reference, blockedReason: blocked },
        });
    },
  };

  /** By what a conversation is reached; one that never wrote, by what {@link Conversations.find} has found for it. */
  async function referenceTo(channel: OpenChannel, key: string): Promise<TeamsReference | undefined> {
    const known = await references.find(placeOf(channel), key);
    if (known) return readReference(known.reference);
    const at = readPlace(key);
    const latest = await references.findLatest(placeOf(channel));
    // A chat with a person is known once it is made; another person's is none of theirs.
    if (at.kind === 'person' || !latest) return undefined;
    return { ...readReference(latest.reference), conversationId: at.id };
  }

  /** @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages */
  async function create(
    channel: OpenChannel,
    user: string,
    { serviceUrl, aadTenant, botId }: TeamsReference,
    signal: AbortSignal,
  ): Promise<Destination> {
    const parameters = {
      ...{ isGroup: false, bot: { id: botId }, members: [{ id: user }] },
      ...{ tenantId: aadTenant, channelData: { tenant: { id: aadTenant } } },
    };
    // Asked twice, Teams answers with the same chat: nothing is there twice.
    const { id } = await api.call(channel, serviceUrl, 'changing', signal, (connector, call) =>
      connector.createConversation(call, parameters),
    );
    if (!id) throw new GatewayError('unavailable', 'Teams made a chat without naming it.');
    const reference: TeamsReference = { serviceUrl, conversationId: id, aadTenant, botId };
    await references.keep(placeOf(channel), { conversationExternalId: `@${user}`, reference });
    return { serviceUrl, conversationId: id };
  }
}

// A channel that was given another tenant has references of the old one still.
function ofThisChannel(reference: TeamsReference, channel: OpenChannel): TeamsReference | undefined {
  return reference.aadTenant === settingsOf(channel).aadTenant ? reference : undefined;
}
