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
  metadata?: { event_type?: string; event_payload?: object };
};

const pagesMax = 4;
const pageSize = 200;
/** Our clock and Slack's may differ by so much. */
const skewMs = 60_000;
/** A second look is worth so much waiting. */
const secondLookMsMax = 4_000;

/**
 * Finds the posts of a message whose sending was interrupted, by the delivery that each says in its metadata. A look that
 * Slack refuses is not a failure: the answer is then incomplete.
 */
export async function findPosts(
  api: SlackApi,
  channel: OpenChannel,
  place: PostPlace,
  message: Pick<OutboundMessage, 'deliveryId' | 'turnId' | 'createdAt'>,
  options: { appId: string | undefined; signal: AbortSignal },
): Promise<Reconciled> {
  const posts = new Map<number, string>();
  let cursor: string | undefined;
  for (let page = 1; page <= pagesMax; page++) {
    const looked = await lookTwice(() =>
      look(api, channel, place, message.createdAt, cursor, options.signal),
    );
    if (!looked) return { posts, complete: false };
    for (const { ts, app_id: app, metadata } of looked.messages) {
      const part = partOf(metadata, message);
      const isOurs = options.appId === undefined || app === undefined || app === options.appId;
      if (ts !== undefined && part !== undefined && isOurs && !posts.has(part))
        posts.set(part, writeMessageId({ channel: place.channel, ts }));
    }
    cursor = looked.cursor;
    if (cursor === undefined) return { posts, complete: true };
  }
  return { posts, complete: false };
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
