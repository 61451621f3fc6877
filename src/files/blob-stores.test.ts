import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import { startS3Server } from '../../test/fakes/s3/s3-server.ts';
import type { BlobStore } from './blob-store.ts';
import { createDiskBlobs } from './disk-blobs.ts';
import { createS3Blobs } from './s3-blobs.ts';

const stores: Readonly<Record<string, () => Promise<BlobStore>>> = {
  async 'the disk'() {
    const directory = await mkdtemp(join(tmpdir(), 'blobs-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    return createDiskBlobs(directory);
  },
  async 'an S3 store'() {
    const server = await startS3Server();
    onTestFinished(() => server.close());
    return createS3Blobs(server.place);
  },
};

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(store: BlobStore, key: { tenantId: Uuid; fileId: Uuid }): Promise<string | undefined> {
  const stream = await store.open(key);
  return stream && (await buffer(stream)).toString();
}

const aKey = () => ({ tenantId: newId(), fileId: newId() });

describe.each(Object.keys(stores))('on %s', (name) => {
  const aStore = () => (stores[name] as () => Promise<BlobStore>)();

  test('bytes come back as they were given', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces('one ', 'and ', 'two'));
    expect(await read(store, key)).toBe('one and two');
  });

  test('a large file comes back whole', async () => {
    const store = await aStore();
    const key = aKey();
    const large = Buffer.alloc(3_000_000, 'large ');
    await store.put(
      key,
      (async function* () {
        for (let at = 0; at < large.byteLength; at += 100_000) yield large.subarray(at, at + 100_000);
      })(),
    );
    const stream = await store.open(key);
    expect(stream && (await buffer(stream)).equals(large)).toBe(true);
  });

  test('a file without a byte is a file', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces());
    expect(await read(store, key)).toBe('');
  });

  test('the same key holds what was put last', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces('a longer first one'));
    await store.put(key, pieces('second'));
    expect(await read(store, key)).toBe('second');
  });

  test('what was never there is undefined, not an error', async () => {
    const store = await aStore();
    expect(await store.open(aKey())).toBeUndefined();
  });

  test('the same file id of another tenant is another file', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces('theirs'));
    expect(await read(store, { ...key, tenantId: newId() })).toBeUndefined();
  });

  test('what was deleted is gone, and can be deleted again', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces('gone'));
    await store.delete(key);
    expect(await store.open(key)).toBeUndefined();
    await store.delete(key);
    await store.delete(aKey());
  });

  test('nothing is left of a tenant that is forgotten, and all of the others', async () => {
    const store = await aStore();
    const [gone, kept] = [aKey(), aKey()];
    for (const key of [gone, kept]) await store.put(key, pieces('bytes'));
    await store.delete(gone);
    await store.forgetTenant(gone.tenantId);
    await store.forgetTenant(gone.tenantId);
    expect(await store.open(gone)).toBeUndefined();
    expect(await read(store, kept)).toBe('bytes');
    await expect(store.forgetTenant('..' as Uuid)).rejects.toThrow(TypeError);
  });

  test('bytes that break off leave nothing, and the earlier ones as they were', async () => {
    const store = await aStore();
    const [fresh, known] = [aKey(), aKey()];
    const breaking = async function* () {
      yield Buffer.from('half');
      throw new Error('The source broke.');
    };
    await store.put(known, pieces('whole'));
    await expect(store.put(fresh, breaking())).rejects.toThrow('The source broke.');
    await expect(store.put(known, breaking())).rejects.toThrow('The source broke.');
    expect(await store.open(fresh)).toBeUndefined();
    expect(await read(store, known)).toBe('whole');
  });

  test.each([
    ['tenant', { tenantId: '../../etc' as Uuid, fileId: newId() }],
    ['file', { tenantId: newId(), fileId: `${newId()}/../../passwd` as Uuid }],
    ['file in capitals', { tenantId: newId(), fileId: newId().toUpperCase() as Uuid }],
    ['nothing', { tenantId: newId(), fileId: '' as Uuid }],
  ])('a key that is no pair of UUIDs is refused: %s', async (_, key) => {
    const store = await aStore();
    await expect(store.put(key, pieces('x'))).rejects.toThrow(TypeError);
    await expect(store.open(key)).rejects.toThrow(TypeError);
    await expect(store.delete(key)).rejects.toThrow(TypeError);
  });

  test('a reader that leaves early holds nothing open', async () => {
    const store = await aStore();
    const key = aKey();
    await store.put(key, pieces('x'.repeat(200_000)));
    const stream = await store.open(key);
    const reader = stream?.getReader();
    expect((await reader?.read())?.value?.byteLength).toBeGreaterThan(0);
    await reader?.cancel();
    await store.delete(key);
  });
});
