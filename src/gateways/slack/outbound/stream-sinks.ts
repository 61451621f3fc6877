import type { OpenChannel, StreamTarget } from '../../gateway.ts';
import { GatewayError, PostTakenOverError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import { workspaceOf } from '../channel.ts';
import { type SlackMessageId, writeMessageId } from '../places.ts';
import type { SlackApi } from './api.ts';
import { slackParts } from './rich-text.ts';
import type { PostPlace } from './send-places.ts';
import type { SlackPosts } from './send-posts.ts';
import { nextPiece } from './stream-text.ts';

/** One way to show an answer in the making. */
export type StreamSink = {
  intervalMs: number;
  /** Whether there is a post of it, or may be; there is never a second one. */
  hasBegun(): boolean;
  post(): SlackMessageId | undefined;
  /** @throws {GatewayError} */
  write(text: string): Promise<void>;
  /** `text`: the latest that was shown. */
  close(text: string | undefined): Promise<void>;
};

export type SinkParts = { api: SlackApi; posts: SlackPosts; pacer: Pacer };

export type SinkTarget = {
  channel: OpenChannel;
  target: StreamTarget;
  keepExternalId: (number: number, externalId: string) => Promise<void>;
};

/** One call of a stream may take so long: it is only a preview, and the answer waits for it when it is complete. */
const callMs = 5_000;
/** And its turn at Slack is worth so much waiting. */
const turnMs = 1_000;
/** Streams leave the rest of what Slack takes at once to final texts. */
const streamBurst = 4;

/**
 * Slack's own streaming, in threads: starts a stream with the first piece, appends what is new, stops it at the end.
 *
 * @see https://docs.slack.dev/reference/methods/chat.startStream/
 */
export function createNativeSink(
  parts: SinkParts,
  sinkTarget: SinkTarget,
  at: Required<PostPlace>,
): StreamSink {
  const { api, pacer } = parts;
  const { channel, target } = sinkTarget;
  let ts: string | undefined;
  let sent = '';
  /** Nothing more can be appended: Slack has ended the stream, or nobody knows what has arrived. */
  let isStuck = false;

  const start = async (piece: string) => {
    await pacer.take(`slack/${channel.id}/chat.startStream`, 3_000, within(turnMs), 1, 10);
    const workspace = workspaceOf(channel);
    const args = {
      ...{ channel: at.channel, thread_ts: at.threadTs, markdown_text: piece },
      recipient_user_id: target.participantExternalId,
      ...(workspace !== undefined && { recipient_team_id: workspace }),
    };
    const answer = await api.call(channel, 'chat.startStream', args, within(callMs));
    if (!answer.ts)
      throw new GatewayError('unavailable', 'Slack started a stream without naming it.', {
        mayHaveArrived: true,
      });
    ts = answer.ts;
    await keep(parts, sinkTarget, { channel: at.channel, ts });
  };

  const append = async (piece: string) => {
    await pacer.take(`slack/${channel.id}/chat.appendStream`, 600, within(turnMs), 1, 20);
    const args = { channel: at.channel, ts, markdown_text: piece };
    await api.call(channel, 'chat.appendStream', args, within(callMs));
  };

  return {
    intervalMs: 1_000,
    hasBegun: () => ts !== undefined || isStuck,
    post: () => (ts === undefined ? undefined : { channel: at.channel, ts }),
    async write(text) {
      const piece = isStuck ? undefined : nextPiece(sent, text, false);
      if (piece === undefined) return;
      await (ts === undefined ? start(piece) : append(piece)).catch((error: unknown) => {
        isStuck = mayHaveArrived(error) || (ts !== undefined && isFinal(error));
        throw error;
      });
      sent += piece;
    },
    async close(text) {
      if (ts === undefined) return;
      const rest = isStuck || text === undefined ? undefined : nextPiece(sent, text, true);
      const args = { channel: at.channel, ts, ...(rest !== undefined && { markdown_text: rest }) };
      // What stays open is stopped before the final text is written over it.
      await api.call(channel, 'chat.stopStream', args, within(callMs)).catch(ignoreRefusal);
    },
  };
}

/** More than a post can show; the rest comes with the finished answer. */
const shownLengthMax = 4_000;

/** A post that is edited again and again, where there is no streaming. */
export function createEditsSink(
  parts: SinkParts,
  sinkTarget: SinkTarget,
  at: PostPlace,
  known: SlackMessageId | undefined,
): StreamSink {
  const { posts } = parts;
  const { channel, target } = sinkTarget;
  let id = known;
  let isStuck = false;
  let shown = '';
  const origin = { turn: target.turnId, part: 1 };

  return {
    intervalMs: 1_200,
    hasBegun: () => id !== undefined || isStuck,
    post: () => id,
    async write(text) {
      const [part] = slackParts(`${text.slice(0, shownLengthMax)} …`);
      if (isStuck || !part || part.text === shown) return;
      if (id === undefined) {
        id = await posts.post(channel, at, part, origin, within(callMs)).catch((error: unknown) => {
          isStuck = mayHaveArrived(error);
          throw error;
        });
        await keep(parts, sinkTarget, id);
      } else {
        const options = { signal: within(callMs), burst: streamBurst };
        isStuck = (await posts.edit(channel, id, part, origin, options)) === 'gone';
      }
      shown = part.text;
    },
    async close() {},
  };
}

/** A post that is not recorded would stay for ever, unless whoever goes on with the answer has found it. */
async function keep(
  { posts }: SinkParts,
  { channel, keepExternalId }: SinkTarget,
  id: SlackMessageId,
): Promise<void> {
  await keepExternalId(1, writeMessageId(id)).catch(async (error: unknown) => {
    if (!(error instanceof PostTakenOverError))
      await posts.remove(channel, id, within(callMs)).catch(ignoreRefusal);
    throw error;
  });
}

function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

function mayHaveArrived(error: unknown): boolean {
  return error instanceof GatewayError && error.mayHaveArrived;
}

function isFinal(error: unknown): boolean {
  return error instanceof GatewayError && error.retry === 'never';
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof GatewayError)) throw error;
}
