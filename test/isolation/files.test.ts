import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import { createFileStore } from '#files/create-file-store.ts';
import { createFileLinks } from '#files/file-links.ts';
import { FileNotFoundError, type FileStore, type StoredFile } from '#files/file-store.ts';
import { createOpenLink } from '#files/open-link.ts';
import { createS3Blobs } from '#files/s3-blobs.ts';
import { type S3Server, startS3Server } from '../fakes/s3/s3-server.ts';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { insertTenants } from './tenant-rows.ts';

/** `theirs` has a file; `ours` reaches for it by its id. */
const ours = newId();
const theirs = newId();
const theirChannel = newId();
let database: TestDatabase;
let bucket: S3Server;
let files: FileStore;
let theirFile: StoredFile;
const fetched: { tenantId: Uuid; channelId: Uuid }[] = [];
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
  bucket = await startS3Server();
  atEnd.push(() => bucket.close());
  await database.asOwner(async (client) => {
    await insertTenants(client, newId(), [ours]);
    await insertTenants(client, newId(), [theirs]);
  });
  await database.scopes.inTenant(theirs, (unit) =>
    unit.sql(
      `INSERT INTO swarmgate.channels (tenant_id, id, platform, slug, key) VALUES ($1, $2, 'slack', 'work', 'key')`,
      [theirs, theirChannel],
    ),
  );
  files = createFileStore({
    scopes: database.scopes,
    blobs: createS3Blobs(bucket.place),
    links: createFileLinks(database.keyRing, () => 'https://chat.example'),
    fetchRemote: async (tenantId, channelId) => {
      fetched.push({ tenantId, channelId });
      return new Blob(['their secret']).stream();
    },
  });
  theirFile = await put(theirs, 'their secret');
});
afterAll(async () => {
  for (const end of atEnd.reverse()) await end();
});

const put = (tenantId: Uuid, text: string) =>
  files.put(tenantId, {
    name: 'note.txt',
    contentType: 'text/plain',
    bytes: Buffer.from(text),
    sizeBytesMax: 1_000,
  });

const textOf = async (tenantId: Uuid, id: Uuid) =>
  (await buffer((await files.open(tenantId, id)).bytes)).toString();

describe('the id of another tenant’s file', () => {
  test('opens, describes and deletes nothing', async () => {
    await expect(files.open(ours, theirFile.id)).rejects.toThrow(FileNotFoundError);
    await expect(files.describe(ours, theirFile.id)).rejects.toThrow(FileNotFoundError);
    await expect(files.delete(ours, theirFile.id)).rejects.toThrow(FileNotFoundError);
    expect(await textOf(theirs, theirFile.id)).toBe('their secret');
  });

  test('that is still at its platform is not fetched, not even while its tenant does so', async () => {
    const id = newId();
    await database.scopes.inTenant(theirs, (unit) =>
      unit.sql(
        `INSERT INTO swarmgate.files (tenant_id, id, channel_id, name, content_type, state)
         VALUES ($1, $2, $3, 'note.txt', 'text/plain', 'remote')`,
        [theirs, id, theirChannel],
      ),
    );
    const [opened, refused] = await Promise.allSettled([textOf(theirs, id), textOf(ours, id)]);
    expect(opened).toEqual({ status: 'fulfilled', value: 'their secret' });
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'file_not_found' } });
    expect(fetched).toEqual([{ tenantId: theirs, channelId: theirChannel }]);
  });

  test('in a link of ours leads nowhere', async () => {
    const links = createFileLinks(database.keyRing, () => 'https://chat.example');
    const token = files.sign(ours, theirFile.id, 60_000).split('/').at(-1) ?? '';
    expect(await createOpenLink(links, files)(token)).toBeUndefined();
  });
});

test('two tenants may have a file of the same id, each its own', async () => {
  const ourFile = await put(ours, 'our secret');
  await database.scopes.inTenant(theirs, (unit) =>
    unit.sql(
      `INSERT INTO swarmgate.files (tenant_id, id, channel_id, name, content_type, state)
       VALUES ($1, $2, $3, 'note.txt', 'text/plain', 'remote')`,
      [theirs, ourFile.id, theirChannel],
    ),
  );
  expect(await textOf(theirs, ourFile.id)).toBe('their secret');
  expect(await textOf(ours, ourFile.id)).toBe('our secret');
  await files.delete(ours, ourFile.id);
  expect(await textOf(theirs, ourFile.id)).toBe('their secret');
});

test('bytes stand under the tenant whose they are, and are gone with their file', async () => {
  const file = await put(ours, 'canary');
  expect(bucket.objects.get(`${ours}/${file.id}`)?.toString()).toBe('canary');
  await files.delete(ours, file.id);
  expect([...bucket.objects.values()].map(String)).not.toContain('canary');
});

test('no file is put for a tenant that does not exist, and no bytes are kept', async () => {
  const nobody = newId();
  await expect(put(nobody, 'stray')).rejects.toMatchObject({ code: 'tenant_not_found' });
  expect([...bucket.objects.keys()].filter((key) => key.startsWith(nobody))).toEqual([]);
});
