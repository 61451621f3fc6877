import { AppError } from '#domain/errors.ts';
import { isUuid, type Uuid } from '#domain/ids.ts';

/** Which bytes: a tenant's file. Both are checked to be UUIDs before they become part of a path. */
export type BlobKey = { tenantId: Uuid; fileId: Uuid };

/** Where bytes are kept, without a word about what they are. */
export interface BlobStore {
  /**
   * Keeps the pieces as one, whole or not at all, in place of what was there. Memory may hold all of them at once, so the
   * caller bounds their length. Rejects with {@link BlobStoreError}, or with the error of the pieces.
   */
  put(key: BlobKey, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** The bytes, or `undefined` when there are none. To be read to their end or cancelled. */
  open(key: BlobKey): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Leaves no bytes, whether there were any or not. */
  delete(key: BlobKey): Promise<void>;
  /** Leaves nothing of a tenant all of whose bytes were deleted. */
  forgetTenant(tenantId: Uuid): Promise<void>;
}

export type BlobFailure =
  /** There is no room. */
  | 'full'
  /** Credentials or permissions do not suffice: an operator must change something. */
  | 'refused'
  | 'bucket_missing'
  | 'unavailable';

const passing: ReadonlySet<BlobFailure> = new Set(['full', 'unavailable']);

/** The place where bytes are kept did not do it. */
export class BlobStoreError extends AppError<`files_${BlobFailure}`> {
  override readonly name = 'BlobStoreError';

  constructor(failure: BlobFailure, message: string, cause?: unknown) {
    super(`files_${failure}`, message, { retry: passing.has(failure) ? 'later' : 'never', cause });
  }
}

/** @throws {TypeError} likewise */
export function checkBlobOwner(tenantId: Uuid): Uuid {
  if (!isUuid(tenantId)) throw new TypeError('Bytes are kept under the UUID of their tenant.');
  return tenantId;
}

/** @throws {TypeError} when a part of the key could be anything but a name. Always a fault of ours. */
export function checkBlobKey(key: BlobKey): BlobKey {
  if (!isUuid(key.tenantId) || !isUuid(key.fileId)) throw new TypeError('Bytes are kept under two UUIDs.');
  return key;
}
