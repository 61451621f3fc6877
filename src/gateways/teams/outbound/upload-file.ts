import type { FileStore } from '#files/file-store.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { settingsOf } from '../channel.ts';

export type UploadParts = {
  files: Pick<FileStore, 'open'>;
  /** Reaches the public internet only. */
  fetch: typeof globalThis.fetch;
};

const sizeBytesMax = 100 * 1024 * 1024;

/**
 * Puts a file where Teams has made room for it: an upload session of OneDrive's, which takes it once and is gone then.
 * `mayBeThere`: an attempt before this one may have put it there, so that a session which is gone has it. @throws {GatewayError}
 * and what the file store throws
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4#upload-a-file
 */
export async function uploadFile(
  { files, fetch }: UploadParts,
  channel: OpenChannel,
  { fileId, url, mayBeThere }: { fileId: string; url: string; mayBeThere: boolean },
  signal: AbortSignal,
): Promise<void> {
  assertOfMicrosoft(url, channel);
  const file = await files.open(channel.tenantId, fileId as Parameters<FileStore['open']>[1]);
  if (file.sizeBytes > sizeBytesMax)
    throw new GatewayError(
      'message_refused',
      `A file of ${file.sizeBytes} bytes is too large to be handed over.`,
    );
  const bytes = new Uint8Array(await new Response(file.bytes).arrayBuffer());
  const response = await fetch(url, {
    method: 'PUT',
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `bytes 0-${bytes.byteLength - 1}/${bytes.byteLength}`,
    },
    body: bytes,
    redirect: 'error',
    signal,
  }).catch((error: unknown) => {
    if (error instanceof ForbiddenUrlError)
      throw new GatewayError('message_refused', 'The file would go to where nobody is sent from here.');
    throw new GatewayError('unavailable', 'There was no answer from where the file goes.', {
      mayHaveArrived: true,
    });
  });
  await response.body?.cancel();
  if (response.ok || (mayBeThere && goneStatuses.has(response.status))) return;
  throw refusalOf(response.status);
}

/** Of a session that has what it was made for, or never was. */
const goneStatuses: ReadonlySet<number> = new Set([404, 409, 410]);

function refusalOf(status: number): GatewayError {
  const said = `Where the file goes answered with HTTP ${status}.`;
  if (status === 429) return new GatewayError('rate_limited', said);
  if (status === 408 || status >= 500) return new GatewayError('unavailable', said, { mayHaveArrived: true });
  return new GatewayError('message_refused', said);
}

/** Where OneDrive and SharePoint keep files. The address comes in a body that nobody has signed. */
function assertOfMicrosoft(url: string, channel: OpenChannel): void {
  const { protocol, hostname, port, origin } = new URL(url);
  const { apiUrl } = settingsOf(channel);
  if (apiUrl !== undefined && new URL(apiUrl).origin === origin) return;
  if (protocol === 'https:' && port === '' && /\.sharepoint(?:-df)?\.(?:com|us)$/.test(hostname)) return;
  throw new GatewayError('message_refused', 'The file would go to an address that is none of SharePoint’s.');
}
