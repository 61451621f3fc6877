import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundMessage, SendProgress, SendResult } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { readMessageId, writeMessageId } from '../places.ts';
import type { TeamsTexts } from '../texts.ts';
import { activityOf, composeParts, type TeamsPart } from './compose-parts.ts';
import type { Conversations, Destination } from './conversations.ts';
import { isBlock } from './failures.ts';
import { linkFiles, offerFiles } from './files.ts';
import { type HandOverParts, handOverFile } from './hand-over-file.ts';
import type { TeamsPosts } from './posts.ts';
import { refuseLate } from './refuse-late.ts';
import type { ShownTexts } from './shown-texts.ts';

export type TeamsSendParts = {
  posts: TeamsPosts;
  conversations: Conversations;
  files: Pick<FileStore, 'open' | 'sign'>;
  checkLink: HandOverParts['checkLink'];
  fetch: HandOverParts['fetch'];
  shown: ShownTexts;
  texts: TeamsTexts;
};

/**
 * Sends a message, whole: edits the parts of it that are out, posts the others one after the other, deletes those that a
 * longer draft has left. Each id is committed before Teams is asked for more.
 */
export async function sendToTeams(
  parts: TeamsSendParts,
  channel: OpenChannel,
  message: OutboundMessage,
  progress: SendProgress,
): Promise<SendResult> {
  const { conversationExternalId: place } = message;
  const to = await parts.conversations.find(channel, place, progress.signal);
  try {
    const giving = { ...parts, texts: parts.texts.file };
    return (
      (await handOverFile(giving, channel, message, progress, to)) ??
      (await send(parts, channel, message, progress, to))
    );
  } catch (error) {
    if (!isBlock(error)) throw error;
    await parts.conversations.block(channel, place);
    throw new GatewayError('not_now', error.message, {
      retryAfterMs: 0,
      ...(error.platformCode !== undefined && { platformCode: error.platformCode }),
    });
  }
}

async function send(
  { posts, files, shown, texts }: TeamsSendParts,
  channel: OpenChannel,
  message: OutboundMessage,
  { signal, keepPart }: SendProgress,
  to: Destination,
): Promise<SendResult> {
  const isPersonal = message.conversationExternalId.startsWith('@');
  const links = isPersonal ? [] : linkFiles(files, channel.tenantId, message.attachments);
  const wanted: TeamsPart[] = [
    ...composeParts(message, links, texts),
    ...(isPersonal ? offerFiles(files, channel.tenantId, message.attachments, texts.file) : []),
  ];
  const ids = [...message.externalIds];
  // Teams shows nobody what stands in a conversation: a post of an attempt that was interrupted, or of a stream whose first
  // piece was never recorded. A stream that knows that it has posted nothing interrupts nothing.
  const mayBeTwice = message.interrupted && ids.length < wanted.length;

  for (const [index, part] of wanted.entries()) {
    refuseLate(signal);
    const known = ids[index];
    if (known !== undefined) {
      if (shown.is(known, part)) continue;
      const outcome = await posts.edit(channel, to, readMessageId(known).id, part, signal);
      if (outcome === 'edited') continue;
      refuseLate(signal);
    }
    const id = await posts.post(channel, to, activityOf(part), signal);
    ids[index] = writeMessageId({ conversationId: to.conversationId, id });
    await keepPart(index + 1, ids[index]);
  }
  for (const surplus of ids.splice(wanted.length)) {
    refuseLate(signal);
    await posts.remove(channel, to, readMessageId(surplus).id, signal);
  }
  return { externalIds: ids, ...(mayBeTwice && { uncertain: true }) };
}
