import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { type BlobStore, BlobStoreError } from '#files/blob-store.ts';
import { createFileStore, type FileStoreParts } from '#files/create-file-store.ts';
import { createDiskBlobs } from '#files/disk-blobs.ts';
import type { FetchRemote } from '#files/fetch-file.ts';
import { createFileLinks } from '#files/file-links.ts';
import {
  FileNotFoundError,
  type FileStore,
  FileTooLargeError,
  FileUnavailableError,
} from '#files/file-store.ts';
import { createOpenLink } from '#files/open-link.ts';
import { insertTenants } from '../isolation/tenant-rows.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';

const tenant = newId();
const channel = newId();
const png = Buffer.from('\x89PNG\r\n\x1a\nand so on', 'latin1');
let database: TestDatabase;
let directory: string;
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  directory = await mkdtemp(join(tmpdir(), 'files-'));
  atEnd.push(() => rm(directory, { recursive: true, force: true }));
  await database.asOwner((client) => insertTenants(client, newId(), [tenant]));
  await database.scopes.inTenant(tenant, (unit) =>
    unit.sql(
      `INSERT INTO swarmgate.channels (tenant_id, id, platform, slug, key) VALUES ($1, $2, 'slack', 'work', 'key')`,
      [tenant, channel],
    ),
  );
});
afterAll(async () => {
  for (const end of atEnd.reverse()) await end();
});

const nothingRemote: FetchRemote = async () => {
  throw new Error('Nothing is to be fetched here.');
};

function aStore(parts: Partial<FileStoreParts> = {}): FileStore {
  return createFileStore({
    scopes: database.scopes,
    blobs: createDiskBlobs(directory),
    fetchRemote: nothingRemote,
    links: createFileLinks(database.keyRing, () => 'https://chat.example'),
    ...parts,
  });
}

/** A row as the receive function writes it. */
async function aRemoteFile(file: { contentType?: string; sizeBytes?: number; channelId?: Uuid | null } = {}) {
  const id = newId();
  const { contentType = 'image/png', sizeBytes = null, channelId = channel } = file;
  await database.scopes.inTenant(tenant, (unit) =>
    unit.sql(
      `INSERT INTO swarmgate.files (tenant_id, id, channel_id, name, content_type, size_bytes, state, source)
       VALUES ($1, $2, $3, 'cat.png', $4, $5, 'remote', '{"url": "https://files.example/cat"}')`,
      [tenant, id, channelId, contentType, sizeBytes],
    ),
  );
  return id;
}

async function rowOf(id: Uuid) {
  const [row] = await database.scopes.inTenant(tenant, (unit) =>
    unit.sql<Record<string, unknown>>(
      `SELECT state, failure, content_type, size_bytes::integer, sha256, stored_at IS NOT NULL AS stored,
         deleted_at IS NOT NULL AS emptied FROM swarmgate.files WHERE id = $1`,
      [id],
    ),
  );
  return row;
}

async function countRows(): Promise<number | undefined> {
  const [row] = await database.scopes.inTenant(tenant, (unit) =>
    unit.sql<{ n: number }>('SELECT count(*)::integer AS n FROM swarmgate.files'),
  );
  return row?.n;
}

/** Everything on the disk that belongs to one file, or to any. */
async function onDisk(id = ''): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name.startsWith(id)).map(({ name }) => name);
}

const streamOf = (bytes: Uint8Array) => new Blob([new Uint8Array(bytes)]).stream();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const read = async (files: FileStore, id: Uuid) => buffer((await files.open(tenant, id)).bytes);

describe('a file that is put', () => {
  test('can be opened, described, and comes back as it was', async () => {
    const files = aStore();
    const stored = await files.put(tenant, {
      name: '../cat.png',
      contentType: 'image/png',
      bytes: streamOf(png),
      sizeBytesMax: 1_000,
    });
    expect(stored).toEqual({
      id: stored.id,
      name: 'cat.png',
      contentType: 'image/png',
      sizeBytes: png.byteLength,
      sha256: sha256(png),
    });
    expect(await files.describe(tenant, stored.id)).toEqual({ ...stored, state: 'stored' });
    const { bytes, ...opened } = await files.open(tenant, stored.id);
    expect(opened).toEqual(stored);
    expect(await buffer(bytes)).toEqual(png);
  });

  test('is kept as nothing in particular if it is a page', async () => {
    const bytes = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
    const stored = await aStore().put(tenant, {
      name: 'cat.png',
      contentType: 'image/png',
      bytes,
      sizeBytesMax: 1_000,
    });
    expect(stored.contentType).toBe('application/octet-stream');
  });

  test.each([
    ['its own bound', { sizeBytesMax: 10 }, {}],
    ['the bound of the store', { sizeBytesMax: 1_000 }, { sizeBytesMax: 10 }],
  ])('is refused beyond %s, and leaves nothing', async (_, { sizeBytesMax }, parts) => {
    const [rows, blobs] = [await countRows(), await onDisk()];
    const put = aStore(parts).put(tenant, { name: 'x', contentType: 'image/png', bytes: png, sizeBytesMax });
    await expect(put).rejects.toThrow(FileTooLargeError);
    expect([await countRows(), await onDisk()]).toEqual([rows, blobs]);
  });

  test('leaves nothing when there is no room, and can be put again later', async () => {
    const rows = await countRows();
    const full: BlobStore = {
      ...createDiskBlobs(directory),
      put: async () => {
        throw new BlobStoreError('full', 'The disk is full.');
      },
    };
    const file = { name: 'x', contentType: 'image/png', bytes: png, sizeBytesMax: 1_000 };
    await expect(aStore({ blobs: full }).put(tenant, file)).rejects.toMatchObject({ retry: 'later' });
    expect(await countRows()).toBe(rows);
  });

  test('has a row before it has bytes, so that a process killed in between leaves none that nobody knows of', async () => {
    const disk = createDiskBlobs(directory);
    const seen: unknown[] = [];
    const watched: BlobStore = {
      ...disk,
      async put(key, pieces) {
        await disk.put(key, pieces);
        seen.push(await rowOf(key.fileId));
      },
    };
    const file = { name: 'x', contentType: 'image/png', bytes: png, sizeBytesMax: 1_000 };
    await aStore({ blobs: watched }).put(tenant, file);
    expect(seen).toEqual([expect.objectContaining({ state: 'failed', failure: 'unfinished' })]);
  });
});

describe('a file that is still at its platform', () => {
  test('is fetched by the first who opens it, with its channel and source, and kept', async () => {
    const calls: unknown[] = [];
    const files = aStore({
      fetchRemote: async (...[tenantId, channelId, source]) => {
        calls.push([tenantId, channelId, source]);
        return streamOf(png);
      },
    });
    const id = await aRemoteFile({ sizeBytes: 5 });
    expect(await files.describe(tenant, id)).toMatchObject({
      state: 'remote',
      sizeBytes: 5,
      sha256: undefined,
    });
    expect(await read(files, id)).toEqual(png);
    expect(await read(files, id)).toEqual(png);
    expect(calls).toEqual([[tenant, channel, { url: 'https://files.example/cat' }]]);
    expect(await rowOf(id)).toEqual({
      state: 'stored',
      failure: null,
      content_type: 'image/png',
      size_bytes: png.byteLength,
      sha256: sha256(png),
      stored: true,
      emptied: false,
    });
  });

  test('is fetched once for twenty who open it at the same moment', async () => {
    let fetches = 0;
    const files = aStore({
      fetchRemote: async () => {
        fetches++;
        return streamOf(png);
      },
    });
    const id = await aRemoteFile();
    const opened = await Promise.all(Array.from({ length: 20 }, () => read(files, id)));
    expect(opened.every((bytes) => bytes.equals(png))).toBe(true);
    expect(fetches).toBe(1);
  });

  test('is judged by its bytes, not by what was announced', async () => {
    const page = Buffer.from('<!doctype html><script>alert(1)</script>');
    const files = aStore({ fetchRemote: async () => streamOf(page) });
    const id = await aRemoteFile({ contentType: 'image/png' });
    expect((await files.open(tenant, id)).contentType).toBe('application/octet-stream');
  });

  test('is not fetched beyond the bound, whatever length was announced', async () => {
    let pulledBytes = 0;
    const long = async () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          pulledBytes += 1_000;
          if (pulledBytes > 1_000_000) controller.close();
          else controller.enqueue(Buffer.alloc(1_000));
        },
      });
    const files = aStore({ fetchRemote: long, sizeBytesMax: 10_000 });
    const id = await aRemoteFile({ sizeBytes: 5 });
    await expect(files.open(tenant, id)).rejects.toThrow(FileTooLargeError);
    expect(pulledBytes).toBeLessThan(20_000);
    expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: 'file_too_large' });
    expect(await onDisk(id)).toEqual([]);
  });

  test('is not even asked for if it was announced as too large', async () => {
    const id = await aRemoteFile({ sizeBytes: 10_001 });
    await expect(aStore({ sizeBytesMax: 10_000 }).open(tenant, id)).rejects.toThrow(FileTooLargeError);
  });

  test.each<[string, FetchRemote, string, string]>([
    [
      'the platform refuses',
      async () => {
        throw new AppError('gateway_credentials_refused', 'No.');
      },
      'gateway_credentials_refused',
      'never',
    ],
    [
      'the platform is away',
      async () => {
        throw new AppError('gateway_unavailable', 'Away.', { retry: 'later' });
      },
      'gateway_unavailable',
      'later',
    ],
    [
      'the connection breaks',
      async () =>
        new ReadableStream({
          start(controller) {
            controller.enqueue(png);
          },
          pull(controller) {
            controller.error(new TypeError('terminated'));
          },
        }),
      'fetch_failed',
      'later',
    ],
    ['nothing comes', () => new Promise(() => {}), 'timeout', 'later'],
    ['the bytes stop coming', async () => new ReadableStream<Uint8Array>(), 'timeout', 'later'],
  ])(
    'says why it cannot be had and is tried again by the next: %s',
    async (_, fetchRemote, reason, retry) => {
      const id = await aRemoteFile();
      const failing = aStore({ fetchRemote, fetchTimeoutMs: 100 });
      const refused = await failing.open(tenant, id).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(FileUnavailableError);
      expect(refused).toMatchObject({ reason, retry });
      expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: reason });
      expect(await onDisk(id)).toEqual([]);

      const files = aStore({ fetchRemote: async () => streamOf(png) });
      expect(await read(files, id)).toEqual(png);
      expect(await rowOf(id)).toMatchObject({ state: 'stored', failure: null });
    },
  );

  test('of no channel cannot be had', async () => {
    const id = await aRemoteFile({ channelId: null });
    await expect(aStore().open(tenant, id)).rejects.toMatchObject({ reason: 'no_channel', retry: 'never' });
  });

  test('holds no transaction open while its bytes come', async () => {
    const files = aStore({
      fetchRemote: async () => {
        // On the embedded database there is one session: this would wait for itself.
        await database.scopes.inTenant(tenant, (unit) => unit.sql('SELECT 1'));
        return streamOf(png);
      },
    });
    expect(await read(files, await aRemoteFile())).toEqual(png);
  });
});

describe('a file that was deleted', () => {
  test('is gone with its bytes; its row stays, with hash and size', async () => {
    const files = aStore();
    const { id } = await files.put(tenant, {
      name: 'x',
      contentType: 'image/png',
      bytes: png,
      sizeBytesMax: 1_000,
    });
    await files.delete(tenant, id);
    await files.delete(tenant, id);
    await expect(files.open(tenant, id)).rejects.toThrow(FileNotFoundError);
    await expect(files.describe(tenant, id)).rejects.toThrow(FileNotFoundError);
    expect(await onDisk(id)).toEqual([]);
    expect(await rowOf(id)).toMatchObject({
      state: 'deleted',
      sha256: sha256(png),
      size_bytes: png.byteLength,
      emptied: true,
    });
  });

  test('is not fetched any more', async () => {
    const files = aStore();
    const id = await aRemoteFile();
    await files.delete(tenant, id);
    await expect(files.open(tenant, id)).rejects.toThrow(FileNotFoundError);
  });

  test('cannot be opened although its bytes could not be deleted yet, and deleting again finishes it', async () => {
    const disk = createDiskBlobs(directory);
    const { id } = await aStore().put(tenant, {
      name: 'x',
      contentType: 'image/png',
      bytes: png,
      sizeBytesMax: 1_000,
    });
    const away: BlobStore = {
      ...disk,
      delete: async () => {
        throw new BlobStoreError('unavailable', 'It is away.');
      },
    };
    await expect(aStore({ blobs: away }).delete(tenant, id)).rejects.toMatchObject({ retry: 'later' });
    await expect(aStore().open(tenant, id)).rejects.toThrow(FileNotFoundError);
    expect(await rowOf(id)).toMatchObject({ state: 'deleted', emptied: false });
    await aStore().delete(tenant, id);
    expect(await rowOf(id)).toMatchObject({ state: 'deleted', emptied: true });
    expect(await onDisk(id)).toEqual([]);
  });

  test.each([
    ['by this process', (files: FileStore) => files],
    ['by another process', () => aStore()],
  ])('while it was being fetched does not come back: %s', async (_, deleter) => {
    const fetching = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<ReadableStream<Uint8Array>>();
    const files = aStore({
      fetchRemote: () => {
        fetching.resolve();
        return answer.promise;
      },
    });
    const id = await aRemoteFile();
    const opening = files.open(tenant, id).catch((error: unknown) => error);
    await fetching.promise;
    const deleting = deleter(files).delete(tenant, id);
    await expect.poll(async () => (await rowOf(id))?.['state']).toBe('deleted');
    answer.resolve(streamOf(png));
    expect(await opening).toBeInstanceOf(FileNotFoundError);
    await deleting;
    expect(await onDisk(id)).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ state: 'deleted', emptied: true });
  });
});

test('a file whose bytes were lost is said to be lost', async () => {
  const files = aStore();
  const { id } = await files.put(tenant, {
    name: 'x',
    contentType: 'image/png',
    bytes: png,
    sizeBytesMax: 1_000,
  });
  await createDiskBlobs(directory).delete({ tenantId: tenant, fileId: id });
  await expect(files.open(tenant, id)).rejects.toMatchObject({ reason: 'lost', retry: 'never' });
});

describe('a link', () => {
  const links = () => createFileLinks(database.keyRing, () => 'https://chat.example');
  const tokenIn = (url: string) => url.slice('https://chat.example/files/'.length);

  test('opens its file, fetching it if need be', async () => {
    const files = aStore({ fetchRemote: async () => streamOf(png) });
    const id = await aRemoteFile();
    const opened = await createOpenLink(links(), files)(tokenIn(files.sign(tenant, id, 60_000)));
    expect(opened).toMatchObject({ id, name: 'cat.png', sizeBytes: png.byteLength });
    expect(opened && (await buffer(opened.bytes))).toEqual(png);
  });

  test.each([
    ['a file that is not there', async () => newId()],
    [
      'a file that was deleted',
      async () => {
        const id = await aRemoteFile();
        await aStore().delete(tenant, id);
        return id;
      },
    ],
    ['a file that nobody can fetch', () => aRemoteFile({ channelId: null })],
    ['a file that is too large', () => aRemoteFile({ sizeBytes: 1e9 })],
  ])('to %s leads nowhere', async (_, make) => {
    const files = aStore();
    const url = files.sign(tenant, await make(), 60_000);
    expect(await createOpenLink(links(), files)(tokenIn(url))).toBeUndefined();
  });

  test('of a tenant that is not there leads nowhere', async () => {
    const files = aStore();
    const url = files.sign(newId(), newId(), 60_000);
    expect(await createOpenLink(links(), files)(tokenIn(url))).toBeUndefined();
  });

  test('to a file whose platform is away says so', async () => {
    const files = aStore({
      fetchRemote: async () => {
        throw new AppError('gateway_unavailable', 'Away.', { retry: 'later' });
      },
    });
    const url = files.sign(tenant, await aRemoteFile(), 60_000);
    await expect(createOpenLink(links(), files)(tokenIn(url))).rejects.toMatchObject({ retry: 'later' });
  });
});
