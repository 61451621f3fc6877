import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import * as nodeFs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type BlobFailure,
  type BlobKey,
  type BlobStore,
  BlobStoreError,
  checkBlobKey,
  checkBlobOwner,
} from './blob-store.ts';

export type DiskFs = Pick<typeof nodeFs, 'mkdir' | 'open' | 'readdir' | 'rename' | 'rm' | 'stat'>;

const pieceBytes = 64 * 1024;
/** So old, a draft is nobody's work any more. */
const abandonedMs = 3_600_000;

/**
 * Bytes as files: `<directory>/<tenant>/<last 2 hex of the id>/<id>`, for this user alone. They are written under
 * another name in the same folder, brought to the disk, and renamed: whenever the process or the machine stops, a name
 * holds all of its bytes or is not there.
 */
export function createDiskBlobs(directory: string, fs: DiskFs = nodeFs): BlobStore {
  const root = resolve(directory);

  return {
    async put(key, pieces) {
      const path = pathOf(root, key);
      const draft = `${path}.${randomBytes(6).toString('hex')}.part`;
      try {
        await makeFolder(fs, root, dirname(path));
        await removeDrafts(fs, path, Date.now() - abandonedMs);
        await writeDraft(fs, draft, pieces);
        await fs.rename(draft, path);
        await syncFolder(fs, dirname(path));
      } catch (error) {
        await fs.rm(draft, { force: true }).catch(() => {}); // the first error says more
        throw explain(error);
      }
    },

    async open(key) {
      const path = pathOf(root, key);
      try {
        if (!(await fs.stat(path)).isFile()) return undefined;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw explain(error);
      }
      return readLazily(fs, path);
    },

    async delete(key) {
      const path = pathOf(root, key);
      try {
        await removeDrafts(fs, path, Number.POSITIVE_INFINITY);
        await fs.rm(path, { force: true });
        await syncFolder(fs, dirname(path));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw explain(error);
      }
    },

    async forgetTenant(tenantId) {
      try {
        await fs.rm(join(root, checkBlobOwner(tenantId)), { recursive: true, force: true });
        await syncFolder(fs, root);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw explain(error);
      }
    },
  };
}

// The first digits of a UUIDv7 are the time, the same for weeks; the last ones spread.
function pathOf(root: string, key: BlobKey): string {
  const { tenantId, fileId } = checkBlobKey(key);
  return join(root, tenantId, fileId.slice(-2), fileId);
}

async function makeFolder(fs: DiskFs, root: string, folder: string): Promise<void> {
  const made = await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = dirname(folder); at.length >= root.length; at = dirname(at)) await syncFolder(fs, at);
}

async function removeDrafts(fs: DiskFs, path: string, olderThanMs: number): Promise<void> {
  const folder = dirname(path);
  for (const name of await fs.readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const draft = join(folder, name);
    const stats = await fs.stat(draft).catch(() => undefined); // another one may remove it meanwhile
    if (stats && stats.mtimeMs < olderThanMs) await fs.rm(draft, { force: true });
  }
}

async function writeDraft(fs: DiskFs, path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await fs.open(path, 'wx', 0o600);
  try {
    for await (const piece of pieces) {
      for (let written = 0; written < piece.byteLength; )
        written += (await handle.write(piece, written)).bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// A new name is on the disk when its folder is (fsync(2)). Windows cannot open folders and needs none of it.
async function syncFolder(fs: DiskFs, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// Opened by the first read: a stream that nobody reads holds nothing open.
function readLazily(fs: DiskFs, path: string): ReadableStream<Uint8Array> {
  let opened: nodeFs.FileHandle | undefined;
  const close = async () => {
    const handle = opened;
    opened = undefined;
    await handle?.close();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // Never through a link, which only somebody else could have put there.
          opened ??= await fs.open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
          const { bytesRead, buffer } = await opened.read(new Uint8Array(pieceBytes), 0, pieceBytes);
          if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
          await close();
          controller.close();
        } catch (error) {
          await close().catch(() => {});
          throw explain(error);
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

const failures: Readonly<Record<string, readonly [BlobFailure, string]>> = {
  ENOSPC: ['full', 'The disk that files are kept on is full; make room, or use an s3:// FILES_URL.'],
  EDQUOT: ['full', 'The quota of the disk that files are kept on is used up.'],
  EACCES: ['refused', 'The folder for files does not belong to the user that this process runs as.'],
  EPERM: ['refused', 'The folder for files does not belong to the user that this process runs as.'],
  EROFS: ['refused', 'The disk that files are kept on is read-only.'],
  EIO: ['unavailable', 'The disk that files are kept on reports an error.'],
  ESTALE: ['unavailable', 'The disk that files are kept on is away.'],
  EMFILE: ['unavailable', 'Too many files are open.'],
  ENFILE: ['unavailable', 'Too many files are open.'],
};

// What it does not know is the error of whoever gave the pieces, or a fault of ours.
function explain(error: unknown): unknown {
  const known = failures[codeOf(error) ?? ''];
  return known ? new BlobStoreError(...known, error) : error;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
