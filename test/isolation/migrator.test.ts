import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate, schemaGap } from '#connections/migrate.ts';
import { createQueueSchema } from '#queue/queue-schema.ts';
import { aBareDatabase } from '../support/a-bare-database.ts';
import { testBackend } from '../support/test-backend.ts';

const ownFiles = [
  '0001_scopes',
  '0002_directory',
  '0003_conversations',
  '0004_knowledge',
  '0005_hot_path',
  '0006_knowledge_vectors',
  '0007_gateways',
  '0008_gateway_journey',
  '0009_fair_queue',
  '0010_dead_letters',
  '0011_paces',
  '0012_discord',
  '0013_teams',
  '0014_batches',
  '0015_discord_directs',
  '0016_teams_and_deletions',
  '0017_access',
  '0018_deliveries',
  '0019_sign_in',
  '0020_audit_seals',
  '0021_organization_access',
  '0022_webhooks',
  '0023_tenant_life',
  '0024_passkeys',
  '0025_organization_end',
  '0026_lines',
];

const withoutVectors = ownFiles.filter((name) => name !== '0006_knowledge_vectors');

describe('a fresh database', () => {
  test('gets every migration in order, once; what needs an extension waits for it', async () => {
    const pool = await aBareDatabase();
    const { rows } = await pool.query(`SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`);
    const hasVector = rows.length > 0;
    expect(hasVector || testBackend() === 'services').toBe(true);
    const waiting = hasVector ? [] : [{ name: '0006_knowledge_vectors', requires: 'vector' }];
    const applied = hasVector ? ownFiles : withoutVectors;
    expect(await migrate({ pool, prepareQueue: createQueueSchema })).toEqual({ applied, waiting });
    expect(await migrate({ pool, prepareQueue: createQueueSchema })).toEqual({ applied: [], waiting });
    expect(await schemaGap(pool)).toEqual([]);
  });
});

test.each(ownFiles)('%s leaves its transaction to the migrator, which rolls it back as a whole', (name) => {
  const file = join(import.meta.dirname, '../../prisma/migrations', name, 'migration.sql');
  // Bodies of functions begin and end blocks with the same words.
  const statements = readFileSync(file, 'utf8').replace(/\$\$[\s\S]*?\$\$/g, '$$$$');
  expect(statements).not.toMatch(/^\s*(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|PREPARE)\b/im);
  expect(statements).not.toMatch(/\bCONCURRENTLY\b|^-- no-transaction$/m);
});

describe('files', () => {
  let pool: pg.Pool;
  let folder: string;
  const atEnd: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    pool = await aBareDatabase((end) => void atEnd.push(end));
  });
  afterAll(async () => {
    for (const end of atEnd) await end();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-migrations-'));
    cpSync(join(import.meta.dirname, '../../prisma/roles.sql'), join(folder, 'roles.sql'));
    mkdirSync(join(folder, 'migrations'));
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await pool.query(`DROP SCHEMA IF EXISTS schema_history CASCADE;
      DROP TABLE IF EXISTS public.first, public.second, public.third`);
  });

  function write(name: string, sql: string): void {
    mkdirSync(join(folder, 'migrations', name), { recursive: true });
    writeFileSync(join(folder, 'migrations', name, 'migration.sql'), sql);
  }

  const run = (prepareQueue = async () => {}) => migrate({ pool, folder, prepareQueue });
  const tables = async () => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };
  const recorded = async () => {
    const { rows } = await pool.query<{ name: string }>(
      'SELECT name FROM schema_history.migrations ORDER BY name',
    );
    return rows.map(({ name }) => name);
  };

  test('are applied in the order of their names', async () => {
    write('0010_third', 'CREATE TABLE public.third (id integer REFERENCES public.second (id))');
    write('0002_second', 'CREATE TABLE public.second (id integer PRIMARY KEY REFERENCES public.first (id))');
    write('0001_first', 'CREATE TABLE public.first (id integer PRIMARY KEY)');
    mkdirSync(join(folder, 'migrations', '0003_without_a_file'));
    expect((await run()).applied).toEqual(['0001_first', '0002_second', '0010_third']);
  });

  test('that were changed after they had been applied are refused, and nothing behind them runs', async () => {
    write('0001_first', 'CREATE TABLE public.first ()');
    await run();
    write('0001_first', 'CREATE TABLE public.first (); -- a better comment');
    write('0002_second', 'CREATE TABLE public.second ()');
    await expect(run()).rejects.toMatchObject({
      code: 'migration_failed',
      message:
        'Migration 0001_first was changed after it had been applied; put the file back and write a new one.',
    });
    expect(await tables()).toEqual(['first']);
  });

  test('that fail leave those before them, and nothing of themselves', async () => {
    write('0001_first', 'CREATE TABLE public.first ()');
    write('0002_second', 'CREATE TABLE public.second (); SELECT 1/0');
    write('0003_third', 'CREATE TABLE public.third ()');
    await expect(run()).rejects.toMatchObject({
      code: 'migration_failed',
      message: 'Migration 0002_second failed: division by zero',
    });
    expect(await tables()).toEqual(['first']);
    expect(await recorded()).toEqual(['0001_first']);
    expect(await schemaGap(pool, folder)).toEqual(['0002_second', '0003_third']);

    write('0002_second', 'CREATE TABLE public.second ()');
    expect((await run()).applied).toEqual(['0002_second', '0003_third']);
  });

  test('that end their transaction themselves are not half recorded', async () => {
    write('0001_first', 'CREATE TABLE public.first (); COMMIT; SELECT 1/0');
    await expect(run()).rejects.toMatchObject({ code: 'migration_failed' });
    expect(await recorded()).toEqual([]);
  });

  test('that need an extension wait without being in the way, and are tried again', async () => {
    write('0001_first', '-- requires: no_such_extension\nCREATE TABLE public.first ()');
    write('0002_second', '-- requires: plpgsql\nCREATE TABLE public.second ()');
    const waiting = [{ name: '0001_first', requires: 'no_such_extension' }];
    expect(await run()).toEqual({ applied: ['0002_second'], waiting });
    expect(await run()).toEqual({ applied: [], waiting });
    expect(await schemaGap(pool, folder)).toEqual([]);
    write('0001_first', 'CREATE TABLE public.first ()');
    expect((await run()).applied).toEqual(['0001_first']);
  });

  test('that must not run in a transaction do not', async () => {
    write('0001_first', 'CREATE TABLE public.first (id integer)');
    write('0002_index', '-- no-transaction\nCREATE INDEX CONCURRENTLY first_id ON public.first (id)');
    expect((await run()).applied).toEqual(['0001_first', '0002_index']);
    write('0003_index', '-- no-transaction\nCREATE INDEX CONCURRENTLY nothing_id ON public.nothing (id)');
    await expect(run()).rejects.toMatchObject({ code: 'migration_failed' });
    expect(await recorded()).toEqual(['0001_first', '0002_index']);
  });

  test('that are newer than this version do not matter to it', async () => {
    write('0001_first', 'CREATE TABLE public.first ()');
    await run();
    await pool.query(`INSERT INTO schema_history.migrations (name, checksum) VALUES ('0009_later', 'x')`);
    expect(await run()).toEqual({ applied: [], waiting: [] });
    expect(await schemaGap(pool, folder)).toEqual([]);
  });

  test('stay applied when the queue’s schema cannot be laid out, and the next run goes on', async () => {
    write('0001_first', 'CREATE TABLE public.first ()');
    await expect(run(() => Promise.reject(new Error('no queue')))).rejects.toThrow('no queue');
    expect(await recorded()).toEqual(['0001_first']);
    expect(await run()).toEqual({ applied: [], waiting: [] });
  });
});

describe('an owner who is no superuser', () => {
  test('migrates as well, where it may make roles', async () => {
    const pool = await aBareDatabase();
    const owner = await becomeOwner(pool);
    const { applied } = await migrate({ pool, prepareQueue: createQueueSchema });
    expect(applied).toEqual(expect.arrayContaining(withoutVectors));
    // It can do the service's work, as it must where it is the service's login too …
    const { rows } = await pool
      .query(`SET ROLE swarmgate_service; SELECT session_user AS login, current_user AS role`)
      .then((results) => (results as unknown as pg.QueryResult[])[1] ?? { rows: [] });
    expect(rows).toEqual([{ login: owner, role: 'swarmgate_service' }]);
    await pool.query('RESET ROLE');
    // … and is bound by row-level security like everybody else.
    await expect(
      pool.query(
        `INSERT INTO directory.organizations (id, slug, name) VALUES (gen_random_uuid(), 'acme', 'Acme')`,
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  /** Makes the pool's one session that of an owner with CREATEROLE, and answers its name. */
  async function becomeOwner(pool: pg.Pool): Promise<string> {
    const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
    const owner = testBackend() === 'embedded' ? 'owner' : `${rows[0]?.name}_owner`;
    pool.options.max = 1;
    await pool.query(
      `CREATE ROLE ${owner} LOGIN CREATEROLE; GRANT CREATE ON DATABASE ${rows[0]?.name} TO ${owner}`,
    );
    await pool.query(`SET SESSION AUTHORIZATION ${owner}`);
    return owner;
  }
});
