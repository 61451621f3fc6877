import { setTimeout as pause } from 'node:timers/promises';
import type { OpenChannel, OutboundMessage } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { writeMessageId } from '../places.ts';
import type { SlackApi } from './api.ts';
import type { PostPlace } from './send-places.ts';
import { originEventType } from './send-posts.ts';

export type Reconciled = {
  /** Ids of the message's posts by the number of their part. */
  posts: ReadonlyMap<number, string>;
  /** False: Slack did not let us see everything, so there may be others. */
  complete: boolean;
};

type FoundPost = {
  ts?: string;
  app_id?: string;
  text?: string;
  files?: readonly unknown[];
  metadata?: { event_type?: string; event_payload?: object };
};

const pagesMax = 4;
const pageSize = 200;
/** Our clock and Slack's may differ by so much. */
const skewMs = 60_000;
/** A second look is worth so much waiting. */
const secondLookMsMax = 4_000;

/**
 * Finds the posts of a message whose sending was interrupted, by the delivery that each says in its metadata. Slack's own
 * streaming takes no metadata before it ends, so a post in the thread that says nothing and begins as the message does is
 * its preview, left open by a process that ended before it had kept the id. A look that Slack refuses is not a failure: the
 * answer is then incomplete.
 */
export async function findPosts(
  api: SlackApi,
  channel: OpenChannel,
  place: PostPlace,
  message: Pick<OutboundMessage, 'deliveryId' | 'turnId' | 'createdAt' | 'text'>,
  options: { appId: string | undefined; signal: AbortSignal },
): Promise<Reconciled> {
  const posts = new Map<number, string>();
  const unnamed: (FoundPost & { ts: string })[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= pagesMax; page++) {
    const looked = await lookTwice(() =>
      look(api, channel, place, message.createdAt, cursor, options.signal),
    );
    if (!looked) return { posts, complete: false };
    for (const post of looked.messages) {
      const { ts, app_id: app, metadata } = post;
      const part = partOf(metadata, message);
      const isOurs = options.appId === undefined || app === undefined || app === options.appId;
      if (ts === undefined || !isOurs) continue;
      if (part !== undefined && !posts.has(part))
        posts.set(part, writeMessageId({ channel: place.channel, ts }));
      if (place.threadTs !== undefined && app !== undefined && !metadata && !post.files)
        unnamed.push({ ...post, ts });
    }
    cursor = looked.cursor;
    if (cursor === undefined) return { posts, complete: adoptPreview(posts, unnamed, place, message.text) };
  }
  return { posts, complete: false };
}

/** Takes the preview for the first part. False: something of ours stands there of which nobody can say what it is. */
function adoptPreview(
  posts: Map<number, string>,
  unnamed: readonly { ts: string; text?: string }[],
  place: PostPlace,
  text: string,
): boolean {
  if (posts.has(1) || unnamed.length === 0) return true;
  const whole = wordsOf(text);
  const preview = unnamed.find((post) => {
    const begun = wordsOf(post.text ?? '');
    return begun !== '' && whole.startsWith(begun);
  });
  if (preview) posts.set(1, writeMessageId({ channel: place.channel, ts: preview.ts }));
  return preview !== undefined;
}

/** Letters and digits alone: how Slack writes down what is bold or a list is its own affair. */
function wordsOf(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** @see https://docs.slack.dev/reference/methods/conversations.replies/ */
async function look(
  api: SlackApi,
  channel: OpenChannel,
  { channel: at, threadTs }: PostPlace,
  createdAt: Date,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ messages: readonly FoundPost[]; cursor: string | undefined }> {
  const args = {
    ...{ channel: at, limit: pageSize, include_all_metadata: true, inclusive: true },
    oldest: ((createdAt.getTime() - skewMs) / 1_000).toFixed(6),
    ...(cursor !== undefined && { cursor }),
  };
  const answer =
    threadTs === undefined
      ? await api.call(channel, 'conversations.history', args, signal)
      : await api.call(channel, 'conversations.replies', { ...args, ts: threadTs }, signal);
  return {
    messages: (answer.messages ?? []) as FoundPost[],
    cursor: answer.response_metadata?.next_cursor || undefined,
  };
}

async function lookTwice<Looked>(look: () => Promise<Looked>): Promise<Looked | undefined> {
  try {
    return await look();
  } catch (error) {
    const waitMs = waitBeforeSecondLook(error);
    if (waitMs === undefined) return undefined;
    await pause(waitMs);
    return look().catch((again: unknown) => {
      if (!(again instanceof GatewayError)) throw again;
      return undefined;
    });
  }
}

/** `undefined`: there is no point in a second look. Throws what must end the sending. */
function waitBeforeSecondLook(error: unknown): number | undefined {
  if (!(error instanceof GatewayError) || error.code === 'gateway_not_now') throw error;
  if (error.code === 'gateway_unavailable') return 500;
  if (error.code !== 'gateway_rate_limited') return undefined;
  const waitMs = error.retryAfterMs ?? 0;
  return waitMs <= secondLookMsMax ? waitMs : undefined;
}

/** Posts of a stream say the turn, because the delivery was not known to them. */
function partOf(
  metadata: FoundPost['metadata'],
  { deliveryId, turnId }: Pick<OutboundMessage, 'deliveryId' | 'turnId'>,
): number | undefined {
  if (metadata?.event_type !== originEventType) return undefined;
  const { delivery, turn, part } = (metadata.event_payload ?? {}) as Readonly<Record<string, unknown>>;
  const isOfMessage = delivery === deliveryId || (turnId !== undefined && turn === turnId);
  return isOfMessage && Number.isSafeInteger(part) ? (part as number) : undefined;
}
