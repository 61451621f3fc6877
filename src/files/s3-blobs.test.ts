import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { type S3Fault, startS3Server } from '../../test/fakes/s3/s3-server.ts';
import { createS3Blobs, type S3Options, type S3Place } from './s3-blobs.ts';

async function aStore(changes: Partial<S3Place> = {}, options: S3Options = {}) {
  const server = await startS3Server();
  onTestFinished(() => server.close());
  const blobs = createS3Blobs(
    { ...server.place, ...changes },
    { timeoutMs: 5_000, backoffMs: 1, ...options },
  );
  return { server, blobs };
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const aKey = () => ({ tenantId: newId(), fileId: newId() });

test('objects stand under prefix, tenant and file, in the bucket', async () => {
  const { server, blobs } = await aStore({ prefix: 'swarm-gate/v1_a.b' });
  const { tenantId, fileId } = aKey();
  await blobs.put({ tenantId, fileId }, pieces('bytes'));
  expect([...server.objects]).toEqual([[`swarm-gate/v1_a.b/${tenantId}/${fileId}`, Buffer.from('bytes')]]);
  expect(server.requests).toEqual([
    { method: 'PUT', path: `/swarmgate-files/swarm-gate/v1_a.b/${tenantId}/${fileId}` },
  ]);
});

test.each<[string, Partial<S3Place>, string]>([
  ['an access key that is not known', { accessKeyId: 'AKIDOTHER' }, 'files_refused'],
  ['a wrong secret', { secretAccessKey: 'a/hidden+one' }, 'files_refused'],
  ['a wrong region', { region: 'us-east-1' }, 'files_refused'],
  ['a bucket that does not exist', { bucket: 'no-such-bucket' }, 'files_bucket_missing'],
])('%s is said as such, at once, and shows no secret', async (_, changes, code) => {
  const { server, blobs } = await aStore(changes);
  const outcomes = await Promise.allSettled([
    blobs.put(aKey(), pieces('bytes')),
    blobs.open(aKey()),
    blobs.delete(aKey()),
  ]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code, retry: 'never' } });
    expect(String((outcome as PromiseRejectedResult).reason.message)).not.toMatch(/hidden|secret\+/);
  }
  expect(server.requests).toHaveLength(3);
  expect(server.objects.size).toBe(0);
});

test('a clock that is off is said as such', async () => {
  const { server, blobs } = await aStore();
  server.setClock(() => Date.now() + 16 * 60_000);
  await expect(blobs.put(aKey(), pieces('bytes'))).rejects.toMatchObject({
    code: 'files_refused',
    message: expect.stringContaining('clock'),
  });
});

test.each<[string, S3Fault, string, string]>([
  ['away', { kind: 'status', status: 503, code: 'SlowDown' }, 'files_unavailable', 'later'],
  ['broken', { kind: 'status', status: 500 }, 'files_unavailable', 'later'],
  ['moving', { kind: 'status', status: 307, code: 'TemporaryRedirect' }, 'files_unavailable', 'later'],
  ['elsewhere', { kind: 'status', status: 301, code: 'PermanentRedirect' }, 'files_refused', 'never'],
  ['full', { kind: 'status', status: 507, code: 'XMinioStorageFull' }, 'files_full', 'later'],
  ['over its quota', { kind: 'status', status: 403, code: 'QuotaExceeded' }, 'files_full', 'later'],
  ['no S3 store', { kind: 'status', status: 403 }, 'files_refused', 'never'],
])('a store that is %s says what to do', async (_, fault, code, retry) => {
  const { server, blobs } = await aStore();
  server.next(fault, fault, fault);
  await expect(blobs.put(aKey(), pieces('bytes'))).rejects.toMatchObject({ code, retry });
  expect(server.objects.size).toBe(0);
});

test('a store that is away for a moment is asked again', async () => {
  const { server, blobs } = await aStore();
  server.next({ kind: 'status', status: 503, code: 'SlowDown' }, { kind: 'status', status: 500 });
  await blobs.put(aKey(), pieces('bytes'));
  expect(server.objects.size).toBe(1);
  expect(server.requests).toHaveLength(3);
});

test('a store that nobody can reach is unavailable', async () => {
  const { server, blobs } = await aStore();
  await server.close();
  await expect(blobs.open(aKey())).rejects.toMatchObject({ code: 'files_unavailable', retry: 'later' });
});

test('a store that does not answer is not waited for', async () => {
  const { server, blobs } = await aStore({}, { timeoutMs: 50 });
  server.next({ kind: 'silent' }, { kind: 'silent' }, { kind: 'silent' });
  await expect(blobs.open(aKey())).rejects.toMatchObject({
    code: 'files_unavailable',
    message: expect.stringContaining('in time'),
  });
});

test.each(['silence', 'break'] as const)(
  'a file that ends in %s is not taken for a whole one',
  async (then) => {
    const { server, blobs } = await aStore({}, { timeoutMs: 200 });
    const key = aKey();
    await blobs.put(key, pieces('x'.repeat(1_000)));
    server.next({ kind: 'half', then });
    const stream = await blobs.open(key);
    await expect(stream && buffer(stream)).rejects.toMatchObject({ code: 'files_unavailable' });
  },
);

test('a slow reader is waited for, however long', async () => {
  const { blobs } = await aStore({}, { timeoutMs: 100 });
  const key = aKey();
  await blobs.put(key, pieces('x'.repeat(500_000)));
  const reader = (await blobs.open(key))?.getReader();
  let bytes = (await reader?.read())?.value?.byteLength ?? 0;
  await new Promise((done) => setTimeout(done, 250)); // longer than the store itself would be waited for
  for (let read = await reader?.read(); read?.value; read = await reader?.read())
    bytes += read.value.byteLength;
  expect(bytes).toBe(500_000);
});
