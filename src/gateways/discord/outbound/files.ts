import type { RawFile } from '@discordjs/rest';
import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundAttachment } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';

/** @see https://discord.com/developers/docs/reference#uploading-files */
const fileBytesMax = 10 * 1024 * 1024;
const requestBytesMax = 24 * 1024 * 1024;
const filesMax = 10;

/** The files of a message as one request takes them. @throws {GatewayError} when Discord would not */
export async function readFiles(
  files: Pick<FileStore, 'open'>,
  channel: OpenChannel,
  attachments: readonly OutboundAttachment[],
): Promise<RawFile[]> {
  const total = attachments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const tooLarge = attachments.find(({ sizeBytes }) => sizeBytes > fileBytesMax);
  if (tooLarge || total > requestBytesMax || attachments.length > filesMax)
    throw new GatewayError(
      'message_refused',
      `${attachments.length} files of ${total} bytes are more than one Discord message takes.`,
    );
  const read: RawFile[] = [];
  for (const { fileId, name, contentType } of attachments) {
    const file = await files.open(channel.tenantId, fileId);
    const data = Buffer.from(await new Response(file.bytes).arrayBuffer());
    read.push({ name, contentType, data });
  }
  return read;
}
