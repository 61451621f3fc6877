import { AppError, type Retry } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';

/** The front door of files: what people send along, and what is sent to them. Each belongs to one tenant. */

/** A file whose bytes are kept here. */
export type StoredFile = {
  id: Uuid;
  /** Without a path and without characters that hide what it is. */
  name: string;
  /**
   * What the bytes show, in the words of whoever announced it where the two agree. What nothing shows, and everything
   * that a browser would run (HTML, SVG, XML, scripts), is `application/octet-stream`.
   */
  contentType: string;
  sizeBytes: number;
  /** Hexadecimal SHA-256 of the bytes. */
  sha256: string;
};

/** A file as its row tells it. Until it is `stored`, type and size are what the platform announced, if anything. */
export type DescribedFile = {
  id: Uuid;
  name: string;
  contentType: string;
  state: 'remote' | 'stored' | 'failed';
  sizeBytes: number | undefined;
  sha256: string | undefined;
};

export type NewFile = {
  name: string;
  /** As it is announced; what becomes of it says {@link StoredFile}. */
  contentType: string;
  bytes: ReadableStream<Uint8Array> | Uint8Array;
  sizeBytesMax: number;
};

/** The tenant has no such file, or it was deleted. */
export class FileNotFoundError extends AppError<'file_not_found'> {
  override readonly name = 'FileNotFoundError';

  constructor() {
    super('file_not_found', 'There is no such file.');
  }
}

/** A file is longer than is taken. Nothing of it is kept. */
export class FileTooLargeError extends AppError<'file_too_large'> {
  override readonly name = 'FileTooLargeError';

  constructor(sizeBytesMax: number) {
    super('file_too_large', `The file has more than ${sizeBytesMax} bytes.`);
  }
}

/** There is such a file, but its bytes cannot be had: its platform does not give it, or they are lost. */
export class FileUnavailableError extends AppError<'file_unavailable'> {
  override readonly name = 'FileUnavailableError';
  /** The code of what went wrong, as the row keeps it. */
  readonly reason: string;

  constructor(reason: string, options: { retry: Retry; cause?: unknown }) {
    super('file_unavailable', `The file's bytes cannot be had (${reason}).`, options);
    this.reason = reason;
  }
}

export interface FileStore {
  /**
   * Keeps a file. It has a row before it has bytes, so that none are ever kept that no row speaks of, also when the
   * process is killed in between.
   * @throws {FileTooLargeError} or the error of the place where bytes are kept, which says whether to try again
   */
  put(tenantId: Uuid, file: NewFile): Promise<StoredFile>;
  /** @throws {FileNotFoundError} */
  describe(tenantId: Uuid, id: Uuid): Promise<DescribedFile>;
  /**
   * A file's bytes, to be read to their end or cancelled. One that is still at its platform is fetched now, once, and
   * kept; a fetch that failed is tried again by the next call.
   * @throws {FileNotFoundError} {@link FileTooLargeError} {@link FileUnavailableError}
   */
  open(tenantId: Uuid, id: Uuid): Promise<StoredFile & { bytes: ReadableStream<Uint8Array> }>;
  /** A URL of ours by which anybody can read this one file until `ttlMs` have passed. */
  sign(tenantId: Uuid, id: Uuid, ttlMs: number): string;
  /**
   * Deletes the bytes; the row stays, with hash, size and the state `deleted`. Twice is once, and finishes what was
   * interrupted: the row says `deleted` first, and has `deleted_at` only when no bytes are left.
   * @throws {FileNotFoundError} when the tenant never had it
   */
  delete(tenantId: Uuid, id: Uuid): Promise<void>;
  /** Leaves no bytes of these files, and their rows to whoever deletes all of the tenant. Twice is once. */
  deleteBytes(tenantId: Uuid, ids: readonly Uuid[]): Promise<void>;
  /** Leaves nothing of a tenant whose files have no bytes any more. */
  forgetTenant(tenantId: Uuid): Promise<void>;
}
