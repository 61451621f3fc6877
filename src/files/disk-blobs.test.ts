import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as nodeFs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { BlobKey } from './blob-store.ts';
import { createDiskBlobs, type DiskFs } from './disk-blobs.ts';

async function aDirectory(): Promise<string> {
  const directory = await nodeFs.mkdtemp(join(tmpdir(), 'blobs-'));
  onTestFinished(() => nodeFs.rm(directory, { recursive: true, force: true }));
  return directory;
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await nodeFs.readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const aKey = (): BlobKey => ({ tenantId: newId(), fileId: newId() });

const pathIn = (directory: string, { tenantId, fileId }: BlobKey) =>
  join(directory, tenantId, fileId.slice(-2), fileId);

/** The disk, except that each write to a file writes at most so many bytes as `room` says, or fails as it does. */
function diskWith(room: (wantedBytes: number) => number): DiskFs {
  return {
    ...nodeFs,
    async open(path, flags, mode) {
      const handle = await nodeFs.open(path, flags, mode);
      const write = handle.write.bind(handle);
      const inRoom = async (piece: Uint8Array, at = 0) =>
        write(piece.subarray(at, at + room(piece.byteLength - at)));
      return Object.assign(handle, { write: inRoom as typeof handle.write });
    },
  };
}

/** As a disk does that is nearly full: the last write that fits is a short one, the next one fails. */
function diskThatFails(code: string, bytesMax: number): DiskFs {
  let left = bytesMax;
  return diskWith((wantedBytes) => {
    if (left === 0) throw Object.assign(new Error(`${code}: it fails`), { code });
    const bytes = Math.min(wantedBytes, left);
    left -= bytes;
    return bytes;
  });
}

test('files stand under their tenant, for this user alone', async () => {
  const directory = join(await aDirectory(), 'files');
  const key = aKey();
  await createDiskBlobs(directory).put(key, pieces('bytes'));
  expect(await filesIn(directory)).toEqual([pathIn(directory, key)]);
  expect((await nodeFs.stat(pathIn(directory, key))).mode & 0o777).toBe(0o600);
  for (const folder of [directory, join(directory, key.tenantId), dirname(pathIn(directory, key))])
    expect((await nodeFs.stat(folder)).mode & 0o777).toBe(0o700);
});

test('nothing stands under its name before all of it is written', async () => {
  const directory = await aDirectory();
  const key = aKey();
  const seen: string[][] = [];
  await createDiskBlobs(directory).put(
    key,
    (async function* () {
      yield Buffer.from('half');
      seen.push(await filesIn(directory));
      yield Buffer.from('whole');
      seen.push(await filesIn(directory));
    })(),
  );
  const draft = expect.stringMatching(new RegExp(`/${key.fileId}\\.[0-9a-f]{12}\\.part$`));
  expect(seen).toEqual([[draft], [draft]]);
  expect(await filesIn(directory)).toEqual([pathIn(directory, key)]);
});

test('a process that is killed while it writes leaves nothing under the name, and deleting clears the rest', async () => {
  const directory = await aDirectory();
  const key = aKey();
  const child = writeForever(directory, key);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const blobs = createDiskBlobs(directory);
  expect(await filesIn(directory)).toHaveLength(1);
  expect(await blobs.open(key)).toBeUndefined();
  await blobs.delete(key);
  expect(await filesIn(directory)).toEqual([]);
});

function writeForever(directory: string, key: BlobKey): ChildProcess {
  const module = JSON.stringify(new URL('./disk-blobs.ts', import.meta.url).href);
  const code = `
    import { createDiskBlobs } from ${module};
    await createDiskBlobs(${JSON.stringify(directory)}).put(${JSON.stringify(key)}, (async function* () {
      yield Buffer.alloc(100_000);
      console.log('written');
      await new Promise((done) => setTimeout(done, 60_000));
    })());`;
  return spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('a draft that was left behind long ago goes with the next write, a young one may be somebody’s', async () => {
  const directory = await aDirectory();
  const blobs = createDiskBlobs(directory);
  const key = aKey();
  await blobs.put(key, pieces('first'));
  const [old, young] = [
    `${pathIn(directory, key)}.000000000000.part`,
    `${pathIn(directory, key)}.111111111111.part`,
  ];
  for (const path of [old, young]) await nodeFs.writeFile(path, 'left behind');
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  await nodeFs.utimes(old, twoHoursAgo, twoHoursAgo);

  await blobs.put(key, pieces('second'));
  expect((await filesIn(directory)).sort()).toEqual([pathIn(directory, key), young]);
  await blobs.delete(key);
  expect(await filesIn(directory)).toEqual([]);
});

test.each([
  ['ENOSPC', 'files_full', 'later'],
  ['EDQUOT', 'files_full', 'later'],
  ['EIO', 'files_unavailable', 'later'],
  ['EROFS', 'files_refused', 'never'],
])('a disk that answers %s says what to do and leaves nothing behind', async (code, expected, retry) => {
  const directory = await aDirectory();
  const blobs = createDiskBlobs(directory, diskThatFails(code, 10));
  const written = blobs.put(aKey(), pieces('sixteen letters.', 'more'));
  await expect(written).rejects.toMatchObject({ code: expected, retry, cause: { code } });
  expect(await filesIn(directory)).toEqual([]);
});

test('a short write is gone on with', async () => {
  const directory = await aDirectory();
  const key = aKey();
  await createDiskBlobs(
    directory,
    diskWith(() => 1),
  ).put(key, pieces('letter by letter'));
  expect(await nodeFs.readFile(pathIn(directory, key), 'utf8')).toBe('letter by letter');
});

test('a link in place of a file is not followed', async () => {
  const directory = await aDirectory();
  const blobs = createDiskBlobs(directory);
  const key = aKey();
  await blobs.put(key, pieces('bytes'));
  const secret = join(directory, 'secret');
  await nodeFs.writeFile(secret, 'of somebody else');
  await nodeFs.rm(pathIn(directory, key));
  await nodeFs.symlink(secret, pathIn(directory, key));
  const stream = await blobs.open(key);
  await expect(stream && buffer(stream)).rejects.toThrow('ELOOP');
});

test('a folder that may not be written to is a matter for the operator', async () => {
  const directory = await aDirectory();
  const forbidden: DiskFs = {
    ...nodeFs,
    mkdir: (async () => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    }) as unknown as DiskFs['mkdir'],
  };
  await expect(createDiskBlobs(directory, forbidden).put(aKey(), pieces('x'))).rejects.toMatchObject({
    code: 'files_refused',
    retry: 'never',
  });
});
