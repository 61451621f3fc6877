import { AppError } from '#domain/errors.ts';
import type { OpenChannel, OutboundMessage, SendProgress, SendResult } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { type HandOver, readHandOver } from '../hand-over.ts';
import { writeMessageId } from '../places.ts';
import type { TeamsTexts } from '../texts.ts';
import { activityOf } from './compose-parts.ts';
import type { Destination } from './conversations.ts';
import type { TeamsPosts } from './posts.ts';
import { refuseLate } from './refuse-late.ts';
import { type UploadParts, uploadFile } from './upload-file.ts';

export type HandOverParts = UploadParts & {
  posts: Pick<TeamsPosts, 'post'>;
  /** The tenant and the file that a link of ours opens; `undefined` when it is none, or too old. */
  checkLink: (url: string) => { tenantId: string; fileId: string } | undefined;
  texts: TeamsTexts['file'];
};

/** A place that is busy gets some time; who waits for a file is told soon, because what Teams gave to put it is short-lived. */
const attemptsMax = 5;
/** Less than a send has, so that there is time to tell how it ended. */
const uploadMsMax = 15_000;

/**
 * Gives a person the file that they took: puts it where they want it, and shows it in the chat. Its parts are the file and
 * the card that shows it, each kept once it is there. What cannot be given in the end is told to the person, and fails.
 * `undefined`: the message is none of these. @throws {GatewayError}
 */
export async function handOverFile(
  parts: HandOverParts,
  channel: OpenChannel,
  message: OutboundMessage,
  { signal, keepPart }: SendProgress,
  to: Destination,
): Promise<SendResult | undefined> {
  const handOver = readHandOver(message);
  if (!handOver) return undefined;
  refuseLate(signal);
  const ids = [...message.externalIds];
  // Nobody can look whether the card is there.
  const mayBeTwice = message.interrupted && ids.length === 1;
  if (ids.length === 0) {
    const id = await give(parts, channel, message, handOver, signal).catch((error: unknown) =>
      giveUp(parts, channel, message, to, signal, error),
    );
    ids.push(id);
    await keepPart(1, id);
  }
  if (ids.length === 1) {
    refuseLate(signal);
    const id = await parts.posts.post(channel, to, cardOf(handOver), signal);
    ids.push(writeMessageId({ conversationId: to.conversationId, id }));
  }
  return { externalIds: ids, ...(mayBeTwice && { uncertain: true }) };
}

async function give(
  parts: HandOverParts,
  channel: OpenChannel,
  message: OutboundMessage,
  { link, upload }: HandOver,
  signal: AbortSignal,
): Promise<string> {
  const target = parts.checkLink(link);
  if (!target || target.tenantId !== channel.tenantId)
    throw new GatewayError('message_refused', 'The file that was taken is none that was offered here.');
  const wanted = { fileId: target.fileId, url: upload.url, mayBeThere: message.interrupted };
  await uploadFile(parts, channel, wanted, AbortSignal.any([signal, AbortSignal.timeout(uploadMsMax)]));
  return `file/${upload.uniqueId ?? upload.name ?? ''}`;
}

/** Throws what the delivery is to know: what may pass is tried again, what may not is told to the person first. */
async function giveUp(
  { posts, texts }: HandOverParts,
  channel: OpenChannel,
  { attempt }: OutboundMessage,
  to: Destination,
  signal: AbortSignal,
  error: unknown,
): Promise<never> {
  const mayPass = !(error instanceof AppError) || error.retry === 'later';
  if ((mayPass && attempt < attemptsMax) || signal.aborted) throw error;
  await posts.post(channel, to, activityOf({ text: texts.failed, attachments: [] }), signal);
  const why = error instanceof AppError ? error.message : 'something went wrong here.';
  throw new GatewayError('message_refused', `A file could not be handed over: ${why}`, { cause: error });
}

function cardOf({ upload: { contentUrl, name, uniqueId, fileType } }: HandOver): object {
  const shown = {
    contentType: 'application/vnd.microsoft.teams.card.file.info',
    ...{ contentUrl, name, content: { uniqueId, fileType } },
  };
  return { type: 'message', attachments: [shown] };
}
