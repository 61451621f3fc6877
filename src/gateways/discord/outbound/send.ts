import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundMessage, SendProgress, SendResult } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { ChannelPlace } from '../../journey.ts';
import { readMessageId, readPlace, writeMessageId } from '../places.ts';
import type { DiscordApi } from './api.ts';
import { composeParts, type DiscordPart } from './compose.ts';
import type { Destination, DestinationFinder } from './destination.ts';
import { readFiles } from './files.ts';
import { type DiscordPosts, nonceOf, type PostOrigin } from './posts.ts';
import { findPosts } from './reconcile.ts';

export type DiscordSendParts = {
  api: DiscordApi;
  posts: DiscordPosts;
  destinations: DestinationFinder;
  files: Pick<FileStore, 'open'>;
  /** Whether a post of the channel's is recorded as part of another delivery. */
  isRecordedElsewhere: (at: ChannelPlace, externalId: string, deliveryId: string) => Promise<boolean>;
  sourcesTitle: string;
  nowMs: () => number;
};

type Sending = {
  channel: OpenChannel;
  message: OutboundMessage;
  progress: SendProgress;
  to: Destination;
  ids: string[];
};

/** Discord knows a nonce again for some minutes; after that it has to be looked for what an attempt has left. */
const nonceKnownMs = 2 * 60_000;

/**
 * Sends a message, whole: edits the posts of it that are out, posts the others one after the other, deletes those that a
 * longer draft has left, and posts its files in one more. Each id is committed before Discord is asked for more.
 */
export async function sendToDiscord(
  parts: DiscordSendParts,
  channel: OpenChannel,
  message: OutboundMessage,
  progress: SendProgress,
): Promise<SendResult> {
  const to = await parts.destinations.find(channel, message, progress.signal);
  const ids = message.externalIds.filter((id) => !isFile(id));
  const sending: Sending = { channel, message, progress, to, ids };
  const wanted = composeParts(message, parts.sourcesTitle);
  const mayMiss = message.interrupted && ids.length < wanted.length;
  const isSure = !mayMiss || (await isKnown(parts, sending, wanted));

  for (const [index, part] of wanted.entries()) await sendPart(parts, sending, part, index + 1);
  for (const surplus of ids.splice(wanted.length)) {
    refuseLate(progress.signal);
    await parts.posts.remove(to, readMessageId(surplus), progress.signal);
  }
  const sharedBefore = message.externalIds.find(isFile);
  const shared = sharedBefore ?? (await sendFiles(parts, sending, wanted.length + 1));
  return {
    externalIds: [...ids, ...(shared === undefined ? [] : [shared])],
    ...(!isSure && { uncertain: true }),
  };
}

/**
 * Whether Discord will know what an interrupted attempt has posted without a record: by the nonce while that is fresh, else
 * by looking. Answers that an interaction's token posts have no nonce, but for the first, which is always the same post.
 */
async function isKnown(
  { api, nowMs, isRecordedElsewhere }: DiscordSendParts,
  { channel, message, progress, to, ids }: Sending,
  wanted: readonly DiscordPart[],
): Promise<boolean> {
  if (to.ticket) return ids.length === 0 && wanted.length === 1;
  if (nowMs() - message.createdAt.getTime() < nonceKnownMs) return true;
  const at = { tenantId: channel.tenantId, channelId: channel.id, platform: channel.platform };
  // In direct messages a person may talk to several tenants, by the same bot.
  const isShared = readPlace(message.conversationExternalId).kind === 'direct';
  const missing = {
    parts: wanted.slice(ids.length),
    nonces: wanted.map((_, index) => nonceOf({ ...originOf(message), part: index + 1 })).slice(ids.length),
    mayBeDraft: ids.length === 0 && message.turnId !== undefined,
    known: message.externalIds,
    since: message.createdAt,
    isOthers: isShared ? undefined : (id: string) => isRecordedElsewhere(at, id, message.deliveryId),
  };
  const found = await findPosts(api, to, missing, progress.signal);
  for (const id of found.ids) {
    await progress.keepPart(ids.length + 1, id);
    ids.push(id);
  }
  return found.complete;
}

async function sendPart(
  { posts }: DiscordSendParts,
  { message, progress, to, ids }: Sending,
  part: DiscordPart,
  number: number,
): Promise<void> {
  const { signal } = progress;
  refuseLate(signal);
  const known = ids[number - 1];
  if (known !== undefined) {
    if ((await posts.edit(to, readMessageId(known), part, { signal })) === 'edited') return;
    refuseLate(signal);
  }
  const origin = { ...originOf(message), part: number, again: known !== undefined };
  const posted = await posts.post(to, part, origin, signal);
  const id = writeMessageId(posted);
  await progress.keepPart(number, id);
  ids[number - 1] = id;
  if (posted.saysOther) await posts.edit(to, posted, part, { signal });
}

/** A stream posts before there is a delivery: what it left without a record is known again by the turn. */
export function originOf({ turnId, deliveryId }: { turnId?: string | undefined; deliveryId?: string }): {
  of: PostOrigin['of'];
} {
  return { of: turnId ?? deliveryId ?? '' };
}

async function sendFiles(
  parts: DiscordSendParts,
  { channel, message, progress, to }: Sending,
  number: number,
): Promise<string | undefined> {
  if (message.attachments.length === 0) return undefined;
  refuseLate(progress.signal);
  const files = await readFiles(parts.files, channel, message.attachments);
  const origin = { ...originOf(message), part: number };
  const posted = await parts.posts.post(
    to,
    { content: '', embeds: [], components: [], files },
    origin,
    progress.signal,
  );
  const id = `${filePrefix}${writeMessageId(posted)}`;
  await progress.keepPart(number, id);
  return id;
}

/** The post of the files is not edited like the others, so its record is told from theirs. */
const filePrefix = 'file/';

function isFile(externalId: string): boolean {
  return externalId.startsWith(filePrefix);
}

function refuseLate(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new GatewayError('not_now', 'The message goes on in the next attempt.', { retryAfterMs: 0 });
}
