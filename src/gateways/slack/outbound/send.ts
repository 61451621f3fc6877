import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundMessage, SendProgress, SendResult } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { settingsOf } from '../channel.ts';
import { readMessageId, readPlace, writeMessageId } from '../places.ts';
import type { SlackApi } from './api.ts';
import type { SlackFileFetch } from './attachments.ts';
import { findPosts } from './reconcile.ts';
import { sendFiles } from './send-files.ts';
import { composeParts } from './send-parts.ts';
import type { PlaceFinder, PostPlace } from './send-places.ts';
import type { SlackPart, SlackPosts } from './send-posts.ts';

export type SlackSendParts = {
  api: SlackApi;
  posts: SlackPosts;
  places: PlaceFinder;
  files: Pick<FileStore, 'open'>;
  fetchFile: SlackFileFetch;
  sharedAppId: string | undefined;
  sourcesTitle: string;
};

/** One send: what goes where, with the ids of posts that are out, by part. */
type Sending = {
  channel: OpenChannel;
  message: OutboundMessage;
  progress: SendProgress;
  at: PostPlace;
  ids: string[];
};

/**
 * Sends a message, whole: edits the posts of it that are out, posts the others one after the other, deletes those that
 * a longer draft has left, and shares its files in one more post. Each id is committed before Slack is asked for more.
 */
export async function sendToSlack(
  parts: SlackSendParts,
  channel: OpenChannel,
  message: OutboundMessage,
  progress: SendProgress,
): Promise<SendResult> {
  const place = readPlace(message.conversationExternalId);
  const ids = message.externalIds.filter((id) => !isFile(id));
  const attempt = async () => {
    const at = await parts.places.find(channel, place, progress.signal);
    return send(parts, { channel, message, progress, at, ids });
  };
  const outBefore = ids.length;
  return attempt().catch((error: unknown) => {
    const isGone = error instanceof GatewayError && error.code === 'gateway_recipient_gone';
    if (!isGone || place.kind !== 'direct' || ids.length > outBefore) throw error;
    // What was known of the direct message may be out of date: it is opened anew, once.
    parts.places.forget(channel, place);
    return attempt();
  });
}

async function send(parts: SlackSendParts, sending: Sending): Promise<SendResult> {
  const { channel, message, progress, ids } = sending;
  const wanted = composeParts(message, parts.sourcesTitle);
  const mayMiss = message.interrupted && ids.length < wanted.length;
  const isSure = !mayMiss || (await adoptPosts(parts, sending));

  const goesOn = ids.length > wanted.length || message.attachments.length > 0;
  for (const [index, part] of wanted.entries())
    await sendPart(parts, sending, part, {
      number: index + 1,
      isLast: !goesOn && index === wanted.length - 1,
    });
  for (const surplus of ids.splice(wanted.length)) {
    refuseLate(progress.signal);
    await parts.posts.remove(channel, readMessageId(surplus), progress.signal);
  }
  const sharedBefore = message.externalIds.find(isFile);
  const shared = sharedBefore ?? (await shareFiles(parts, sending, wanted.length + 1));

  // A post of files says nothing about where it comes from: an interrupted one cannot be found again.
  const mayBeTwice = !isSure || (message.interrupted && shared !== sharedBefore);
  return {
    externalIds: [...ids, ...(shared === undefined ? [] : [shared])],
    ...(mayBeTwice && { uncertain: true }),
  };
}

/** Takes over what an interrupted attempt has posted without a record; answers whether that is all there can be. */
async function adoptPosts(
  parts: SlackSendParts,
  { channel, message, progress, at, ids }: Sending,
): Promise<boolean> {
  const appId = settingsOf(channel).appId ?? parts.sharedAppId;
  const found = await findPosts(parts.api, channel, at, message, { appId, signal: progress.signal });
  for (let number = ids.length + 1; ; number++) {
    const id = found.posts.get(number);
    if (id === undefined) return found.complete;
    await progress.keepPart(number, id);
    ids.push(id);
  }
}

async function sendPart(
  { posts }: SlackSendParts,
  { channel, message, progress, at, ids }: Sending,
  part: SlackPart,
  { number, isLast }: { number: number; isLast: boolean },
): Promise<void> {
  const { signal } = progress;
  refuseLate(signal);
  const origin = { delivery: message.deliveryId, part: number };
  const known = ids[number - 1];
  if (known !== undefined) {
    const outcome = await posts.edit(channel, readMessageId(known), part, origin, { signal });
    if (outcome === 'edited') return;
    refuseLate(signal);
  }
  const id = writeMessageId(await posts.post(channel, at, part, origin, signal));
  // The last one is kept together with the outcome: Slack is asked for no more.
  // What took the place of a post that is gone is not looked for: it is kept at once.
  if (!isLast || known !== undefined) await progress.keepPart(number, id);
  ids[number - 1] = id;
}

async function shareFiles(
  parts: SlackSendParts,
  { channel, message, progress, at }: Sending,
  number: number,
): Promise<string | undefined> {
  if (message.attachments.length === 0) return undefined;
  refuseLate(progress.signal);
  const file = `${filePrefix}${await sendFiles(parts, channel, at, message.attachments, progress.signal)}`;
  await progress.keepPart(number, file);
  return file;
}

/** Files are shared in a post that Slack does not name; the record of them is the first file's id. */
const filePrefix = 'file/';

function isFile(externalId: string): boolean {
  return externalId.startsWith(filePrefix);
}

function refuseLate(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new GatewayError('not_now', 'The message goes on in the next attempt.', { retryAfterMs: 0 });
}
