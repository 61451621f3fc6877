import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { migrateServer } from '#connections/migrate-server.ts';
import { openServerDatabase } from '#connections/server.ts';
import { newId } from '#domain/ids.ts';
import { createLogger } from '#kernel/logger.ts';
import { createFairClockOnPostgres } from '#queue/fair-clock-on-postgres.ts';
import { createQueueSchema } from '#queue/queue-schema.ts';
import { createWakeQueue } from '#queue/wake-queue.ts';
import { createScopes } from '#tenancy/scopes.ts';
import { aBareServerDatabase } from '../support/a-bare-database.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';
import { findHoles } from './find-holes.ts';
import { insertTenants } from './tenant-rows.ts';

const silent = createLogger('silent');
const ignore = () => {};

/** A database whose owner and whose service's login are two users, neither of them a superuser. */
async function aDatabaseWithTwoUsers() {
  const { name, url, pool } = await aBareServerDatabase();
  const users = { owner: `${name}_owner`, service: `${name}_service` };
  await pool.query(`CREATE ROLE ${users.owner} LOGIN CREATEROLE; CREATE ROLE ${users.service} LOGIN;
    ALTER DATABASE ${name} OWNER TO ${users.owner}`);
  const as = (user: string) => {
    const address = new URL(url);
    address.username = user;
    return address.href;
  };
  return { superuser: pool, users, adminUrl: as(users.owner), serviceUrl: as(users.service) };
}

describe('a service with a login of its own', () => {
  test('owns nothing, and the catalogue shows no hole to the owner who is no superuser', async () => {
    const { superuser, users, adminUrl, serviceUrl } = await aDatabaseWithTwoUsers();
    await migrateServer({ url: serviceUrl, adminUrl }, createQueueSchema);
    const owner = new pg.Client({ connectionString: adminUrl });
    await owner.connect();
    const holes = await findHoles(owner);
    await owner.end();
    expect(holes).toEqual([]);
    const { rows } = await superuser.query(
      `SELECT pg_describe_object(s.classid, s.objid, s.objsubid) AS owned FROM pg_shdepend s
         WHERE s.deptype = 'o' AND s.refobjid = $1::regrole`,
      [users.service],
    );
    expect(rows).toEqual([]);
  });

  test('works in every scope, and on its queue in the database', async () => {
    const { superuser, adminUrl, serviceUrl } = await aDatabaseWithTwoUsers();
    await migrateServer({ url: serviceUrl, adminUrl }, createQueueSchema);
    const [organization, tenant] = [newId(), newId()];
    const client = await superuser.connect();
    await insertTenants(client, organization, [tenant]);
    client.release();

    const database = await openServerDatabase(serviceUrl, ignore);
    const scopes = createScopes(database);
    for (const enter of [
      () => scopes.inTenant(tenant, (unit) => unit.sql<{ id: string }>('SELECT id FROM directory.tenants')),
      () =>
        scopes.inOrganization(organization, (unit) =>
          unit.sql<{ id: string }>('SELECT id FROM directory.tenants'),
        ),
      () => scopes.inPlatform((unit) => unit.sql<{ id: string }>('SELECT id FROM directory.tenants')),
    ])
      expect(await enter()).toEqual([{ id: tenant }]);

    const queue = createWakeQueue({
      logger: silent,
      clockOf: (name) => createFairClockOnPostgres(scopes, name),
      backend: { kind: 'postgres', pool: database.queuePool },
    });
    const woken = new Set<string>();
    queue.work(
      'turn',
      async ({ conversationId }) => {
        woken.add(conversationId);
        return undefined;
      },
      10,
    );
    const conversations = Array.from({ length: 50 }, () => newId());
    await queue.wakeAll(
      conversations.map((conversationId) => ({ kind: 'turn', tenantId: tenant, conversationId })),
    );
    await eventually(() => expect(woken.size).toBe(50));
    await queue.stopWork(5_000);
    await queue.close();
    await scopes.close();
    await database.close();
  });

  test('answers its visitors', async () => {
    const { adminUrl, serviceUrl } = await aDatabaseWithTwoUsers();
    await migrateServer({ url: serviceUrl, adminUrl }, createQueueSchema);
    const service = await aService({
      installation: {
        env: { DATABASE_URL: serviceUrl, MASTER_KEYS: `test:${randomBytes(32).toString('base64')}` },
        redisPrefix: '',
        remove: async () => {},
      },
    });
    const visitor = await service.aVisitor();
    const answer = await visitor.answerTo(await visitor.send('Is anybody there?'));
    expect(answer.text).toContain('Is anybody there?');
    await service.close();
  });

  test('may become nobody else', async () => {
    const { users, adminUrl, serviceUrl } = await aDatabaseWithTwoUsers();
    await migrateServer({ url: serviceUrl, adminUrl }, createQueueSchema);
    const database = await openServerDatabase(serviceUrl, ignore);
    for (const role of ['postgres', users.owner, 'pg_read_all_data'])
      await expect(database.pool.query(`SET ROLE ${role}`)).rejects.toMatchObject({ code: '42501' });
    // Its login has no right of its own either.
    const client = await database.pool.connect();
    await client.query('SET ROLE NONE');
    await expect(client.query('SELECT 1 FROM swarmgate.messages')).rejects.toMatchObject({ code: '42501' });
    await expect(client.query('CREATE TABLE public.mine ()')).rejects.toMatchObject({ code: '42501' });
    client.release(true);
    await database.close();
  });
});

describe('at the same time', () => {
  test('four databases of one server are migrated', async () => {
    const databases = await Promise.all(Array.from({ length: 4 }, () => aBareServerDatabase()));
    const results = await Promise.all(
      databases.map(({ url }) => migrateServer({ url, adminUrl: url }, createQueueSchema)),
    );
    for (const { applied } of results) expect(applied).toContain('0005_hot_path');
  });

  test('four processes migrate one database: one does it, the others wait for it', async () => {
    const { url } = await aBareServerDatabase();
    const results = await Promise.all(
      Array.from({ length: 4 }, () => migrateServer({ url, adminUrl: url }, createQueueSchema)),
    );
    expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });
});

describe('a database that cannot be used is refused in one line', () => {
  const refusal = (url: string) =>
    openServerDatabase(url, ignore).then(
      () => 'opened',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );

  test('because it is not migrated', async () => {
    const { url } = await aBareServerDatabase();
    expect(await refusal(url)).toBe(
      'database_not_migrated: The database is not prepared yet: run "swarmgate migrate" first.',
    );
  });

  test('because it is older than this version', async () => {
    const { url, pool } = await aBareServerDatabase();
    await migrateServer({ url, adminUrl: url }, createQueueSchema);
    await pool.query(`DELETE FROM schema_history.migrations WHERE name = '0005_hot_path'`);
    expect(await refusal(url)).toBe(
      'database_not_migrated: The database lacks 0005_hot_path: run "swarmgate migrate" first.',
    );
  });

  test('because its user was not admitted', async () => {
    const { adminUrl, serviceUrl } = await aDatabaseWithTwoUsers();
    await migrateServer({ url: adminUrl, adminUrl }, createQueueSchema);
    expect(await refusal(serviceUrl)).toMatch(
      /^database_refused: The user of DATABASE_URL may not become swarmgate_service: run "swarmgate migrate"/,
    );
  });

  test('because it does not exist', async () => {
    const { url } = await aBareServerDatabase();
    expect(await refusal(`${url}_not`)).toMatch(
      /^database_refused: The database refused DATABASE_URL: .*does not exist/,
    );
  });

  test('because nobody listens', async () => {
    expect(await refusal('postgres://postgres@127.0.0.1:1/x')).toMatch(
      /^database_unreachable: .*ECONNREFUSED.*Check DATABASE_URL/,
    );
  });

  test('when it is migrated, because its user does not exist', async () => {
    const { url } = await aBareServerDatabase();
    const nobody = new URL(url);
    nobody.username = 'swarmgate_test_nobody';
    await expect(migrateServer({ url: nobody.href, adminUrl: url }, createQueueSchema)).rejects.toMatchObject(
      {
        code: 'migration_failed',
        message: expect.stringContaining('"swarmgate_test_nobody" of DATABASE_URL does not exist'),
      },
    );
  });
});
