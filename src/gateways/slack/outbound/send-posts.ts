import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import type { SlackMessageId } from '../places.ts';
import type { SlackApi } from './api.ts';
import type { PostPlace } from './send-places.ts';

/** What one post shows: its blocks, and the same in Slack's text for notifications and screen readers. */
export type SlackPart = { text: string; blocks: readonly { readonly type: string }[] };

/** Says in the post's metadata whose it is, so that it is found again. */
export type PostOrigin = { delivery: string; part: number } | { turn: string; part: number };

export const originEventType = 'swarmgate_delivery';

export type SlackPosts = {
  /** @throws {GatewayError} */
  post(
    channel: OpenChannel,
    place: PostPlace,
    part: SlackPart,
    origin: PostOrigin,
    signal: AbortSignal,
  ): Promise<SlackMessageId>;
  /** `gone`: there is no such post any more, or it cannot be edited. @throws {GatewayError} */
  edit(
    channel: OpenChannel,
    id: SlackMessageId,
    part: SlackPart,
    origin: PostOrigin,
    options: { signal: AbortSignal; burst?: number },
  ): Promise<'edited' | 'gone'>;
  /** One that is not there is deleted already. @throws {GatewayError} */
  remove(channel: OpenChannel, id: SlackMessageId, signal: AbortSignal): Promise<void>;
};

/** One a second in a channel, "short bursts" allowed. @see https://docs.slack.dev/apis/web-api/rate-limits/ */
const postPace = { intervalMs: 1_000, burst: 3 };
/** Tier 3 and a little room: fifty a minute of a method in a workspace, over all its channels. */
const tier3Pace = { intervalMs: 700, burst: 10 };

/** Posts, edits and deletes one message at a time, at Slack's pace, without mentions or previews of links. */
export function createSlackPosts({ api, pacer }: { api: SlackApi; pacer: Pacer }): SlackPosts {
  const pace = async (channel: OpenChannel, what: string, signal: AbortSignal, pace = tier3Pace) => {
    if (signal.aborted)
      throw new GatewayError('not_now', 'There was no time left to call Slack.', { retryAfterMs: 0 });
    await pacer.take(`slack/${channel.id}/${what}`, pace.intervalMs, signal, 1, pace.burst);
  };

  const stopStream = async (
    channel: OpenChannel,
    { channel: at, ts }: SlackMessageId,
    signal: AbortSignal,
  ) => {
    await api
      .call(channel, 'chat.stopStream', { channel: at, ts }, signal)
      .catch(unlessCode('message_not_in_streaming_state', 'stopped_by_user'));
  };

  return {
    async post(channel, { channel: at, threadTs }, part, origin, signal) {
      await pace(channel, at, signal, postPace);
      const args = {
        ...{ channel: at, ...(threadTs !== undefined && { thread_ts: threadTs }) },
        ...{ ...content(part, origin), unfurl_links: false, unfurl_media: false },
      };
      const answer = await api.call(channel, 'chat.postMessage', args, signal);
      if (answer.ts) return { channel: answer.channel ?? at, ts: answer.ts };
      throw new GatewayError('unavailable', 'Slack took a post without naming it.', { mayHaveArrived: true });
    },

    async edit(channel, { channel: at, ts }, part, origin, { signal, burst = tier3Pace.burst }) {
      const update = async () => {
        await pace(channel, 'chat.update', signal, { ...tier3Pace, burst });
        await api.call(channel, 'chat.update', { channel: at, ts, ...content(part, origin) }, signal);
      };
      try {
        await update().catch(async (error: unknown) => {
          if (codeOf(error) !== 'streaming_state_conflict') throw error;
          // Its stream was left open, by a process that ended meanwhile.
          await stopStream(channel, { channel: at, ts }, signal);
          await update();
        });
        return 'edited';
      } catch (error) {
        if (!uneditableCodes.has(codeOf(error) ?? '')) throw error;
        return 'gone';
      }
    },

    async remove(channel, { channel: at, ts }, signal) {
      const remove = async () => {
        await pace(channel, 'chat.delete', signal);
        await api.call(channel, 'chat.delete', { channel: at, ts }, signal);
      };
      await remove()
        .catch(async (error: unknown) => {
          if (codeOf(error) !== 'cant_delete_message') throw error;
          await stopStream(channel, { channel: at, ts }, signal); // a post that is streamed cannot be deleted
          await remove();
        })
        .catch(unlessCode('message_not_found', 'cant_delete_message'));
    },
  };
}

const uneditableCodes: ReadonlySet<string> = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
]);

// `parse` and `link_names` are about the text beside the blocks, which notifications show. An edit that leaves them out
// would set them anew: `parse` to `client`, which makes links and mentions of bare words.
function content({ text, blocks }: SlackPart, origin: PostOrigin) {
  return {
    ...{ text, blocks, parse: 'none', link_names: false },
    metadata: { event_type: originEventType, event_payload: origin },
  };
}

/** Slack's own code of a failed call. */
function codeOf(error: unknown): string | undefined {
  return error instanceof GatewayError ? error.platformCode : undefined;
}

function unlessCode(...expected: string[]): (error: unknown) => void {
  return (error) => {
    if (!expected.includes(codeOf(error) ?? '')) throw error;
  };
}
