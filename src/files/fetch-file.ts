import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import { TenantNotFoundError } from '#tenancy/scope-errors.ts';
import { type BlobStore, BlobStoreError } from './blob-store.ts';
import type { FileRow, FileRows, Kept } from './file-rows.ts';
import { FileNotFoundError, FileTooLargeError, FileUnavailableError } from './file-store.ts';
import { measure, orAborted } from './measure.ts';
import { checkedType } from './sniff-type.ts';

/** Asks a platform for a file with the credentials of the channel that it came by. */
export type FetchRemote = (
  tenantId: Uuid,
  channelId: Uuid,
  source: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
) => Promise<ReadableStream<Uint8Array>>;

export type FetchParts = {
  rows: FileRows;
  blobs: BlobStore;
  fetchRemote: FetchRemote;
  sizeBytesMax: number;
  /** For the whole of one fetch. */
  fetchTimeoutMs: number;
};

/**
 * Fetches a file from its platform and keeps it. What goes wrong stands in the row afterwards, as a code.
 * @throws {FileTooLargeError} {@link FileUnavailableError} {@link FileNotFoundError} when it was deleted meanwhile
 */
export async function fetchFile(parts: FetchParts, tenantId: Uuid, row: FileRow): Promise<Kept> {
  try {
    const kept = await transfer(parts, tenantId, row);
    const isKept = await parts.rows.keep(tenantId, row.id, kept).catch((error: unknown) => {
      // Together with its tenant it was deleted too.
      if (error instanceof TenantNotFoundError) return false;
      throw error;
    });
    if (isKept) return kept;
  } catch (error) {
    const failure = explain(error);
    // The caller hears of it in any case; a row that cannot be written now is only less telling.
    await parts.rows.fail(tenantId, row.id, failureCode(failure)).catch(() => {});
    throw failure;
  }
  await parts.blobs.delete({ tenantId, fileId: row.id });
  throw new FileNotFoundError();
}

async function transfer(
  { blobs, fetchRemote, sizeBytesMax, fetchTimeoutMs }: FetchParts,
  tenantId: Uuid,
  row: FileRow,
): Promise<Kept> {
  if (row.channelId === null) throw new FileUnavailableError('no_channel', { retry: 'never' });
  if ((row.sizeBytes ?? 0) > sizeBytesMax) throw new FileTooLargeError(sizeBytesMax);

  const signal = AbortSignal.timeout(fetchTimeoutMs);
  const remote = await orAborted(signal, fetchRemote(tenantId, row.channelId, row.source, signal));
  const measuring = measure(remote, { sizeBytesMax, signal });
  try {
    await blobs.put({ tenantId, fileId: row.id }, measuring.pieces);
  } catch (error) {
    measuring.cancel();
    throw error;
  }
  const { sizeBytes, sha256, head } = measuring.result();
  return { sizeBytes, sha256, contentType: checkedType(row.contentType, head) };
}

function explain(error: unknown): unknown {
  if (error instanceof FileUnavailableError || error instanceof FileTooLargeError) return error;
  if (error instanceof BlobStoreError) return error;
  if (error instanceof AppError)
    return new FileUnavailableError(error.code, { retry: error.retry, cause: error });
  const isLate = error instanceof DOMException && error.name === 'TimeoutError';
  return new FileUnavailableError(isLate ? 'timeout' : 'fetch_failed', { retry: 'later', cause: error });
}

function failureCode(failure: unknown): string {
  if (failure instanceof FileUnavailableError) return failure.reason;
  return failure instanceof AppError ? failure.code : 'internal';
}
