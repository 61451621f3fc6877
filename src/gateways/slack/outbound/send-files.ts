import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundAttachment } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { SlackApi } from './api.ts';
import type { SlackFileFetch } from './attachments.ts';
import type { PostPlace } from './send-places.ts';

export type FileSendParts = { api: SlackApi; files: Pick<FileStore, 'open'>; fetchFile: SlackFileFetch };

/** One file is held in memory at a time: Slack wants to know its length and takes it in one piece. */
const sizeBytesMax = 50 * 1024 * 1024;

/**
 * Uploads files and shows them together in one post; answers Slack's id of the first. (The SDK's own `filesUploadV2`
 * holds all of them at once, cannot be broken off, and hands the token to the upload address.) @throws {GatewayError}
 *
 * @see https://docs.slack.dev/messaging/working-with-files/#uploading_files
 */
export async function sendFiles(
  parts: FileSendParts,
  channel: OpenChannel,
  { channel: at, threadTs }: PostPlace,
  attachments: readonly OutboundAttachment[],
  signal: AbortSignal,
): Promise<string> {
  const uploaded: { id: string; title: string }[] = [];
  for (const attachment of attachments) {
    // Uploads begin anew in each attempt, so one that runs out of time has failed: it would for ever.
    if (signal.aborted)
      throw new GatewayError(
        'unavailable',
        'The files could not be uploaded to Slack in the time that a delivery has.',
      );
    uploaded.push({ id: await upload(parts, channel, attachment, signal), title: attachment.name });
  }
  const args = { files: uploaded, channel_id: at, ...(threadTs !== undefined && { thread_ts: threadTs }) };
  await parts.api.call(channel, 'files.completeUploadExternal', args, signal);
  return uploaded[0]?.id ?? '';
}

async function upload(
  { api, files, fetchFile }: FileSendParts,
  channel: OpenChannel,
  { fileId, name, contentType, sizeBytes }: OutboundAttachment,
  signal: AbortSignal,
): Promise<string> {
  if (sizeBytes > sizeBytesMax)
    throw new GatewayError(
      'message_refused',
      `A file of ${sizeBytes} bytes is too large to be sent to Slack.`,
    );
  const file = await files.open(channel.tenantId, fileId);
  const bytes = new Uint8Array(await new Response(file.bytes).arrayBuffer());
  const slot = await api.call(
    channel,
    'files.getUploadURLExternal',
    { filename: name, length: bytes.byteLength },
    signal,
  );
  if (!slot.upload_url || !slot.file_id)
    throw new GatewayError('unavailable', 'Slack gave no address to upload a file to.');
  const headers = { 'content-type': contentType };
  const response = await fetchFile(channel, slot.upload_url, {
    method: 'POST',
    headers,
    body: bytes,
    signal,
  });
  await response.body?.cancel();
  if (response.status !== 200)
    throw new GatewayError('unavailable', `Slack answered an upload with HTTP ${response.status}.`);
  return slot.file_id;
}
