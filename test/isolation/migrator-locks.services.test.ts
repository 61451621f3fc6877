import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { LockPatience } from '#connections/lock-patience.ts';
import { migrate } from '#connections/migrate.ts';
import { createQueueSchema } from '#queue/queue-schema.ts';
import { aBareServerDatabase } from '../support/a-bare-database.ts';

/** A migration on an installation that is at work: everything that comes behind it waits for as long as it does. */

const prisma = join(import.meta.dirname, '../../prisma');
/** Gives up after a second or so. */
const impatient: LockPatience = { lockTimeoutMs: 200, attemptsMax: 4, pauseMsMin: 50, pauseMsMax: 100 };

let database: Awaited<ReturnType<typeof aBareServerDatabase>>;
let folder: string;

beforeEach(async () => {
  database = await aBareServerDatabase();
  folder = mkdtempSync(join(tmpdir(), 'swarmgate-migrations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(prisma, 'roles.sql'), join(folder, 'roles.sql'));
  mkdirSync(join(folder, 'migrations'));
});

function write(name: string, sql: string): void {
  mkdirSync(join(folder, 'migrations', name));
  writeFileSync(join(folder, 'migrations', name, 'migration.sql'), sql);
}

const run = (more: Partial<Parameters<typeof migrate>[0]> = {}) =>
  migrate({ pool: database.pool, folder, prepareQueue: async () => {}, ...more });

async function isThere(relation: string): Promise<boolean> {
  const { rows } = await database.pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [relation]);
  return rows[0]?.there;
}

/** Somebody who has read a table and has not ended the transaction. */
async function aReader(table: string) {
  const client = new pg.Client({ connectionString: database.url, application_name: 'a-long-report' });
  await client.connect();
  client.on('error', () => {});
  onTestFinished(() => client.end());
  const { rows } = await client
    .query(`BEGIN; SELECT pg_backend_pid() AS pid FROM (SELECT count(*) FROM ${table}) x`)
    .then((results) => (results as unknown as pg.QueryResult<{ pid: number }>[])[1] ?? { rows: [] });
  return { pid: rows[0]?.pid, leave: () => client.query('ROLLBACK') };
}

/** Reads a table over and over; answers how long the slowest of the reads took. */
function traffic(table: string) {
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => {});
  let isOn = true;
  let slowestMs = 0;
  let reads = 0;
  const reading = (async () => {
    while (isOn) {
      const startedAt = performance.now();
      await pool.query(`SELECT count(*) FROM ${table}`);
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      reads += 1;
      await sleep(10);
    }
  })();
  return async () => {
    isOn = false;
    await reading;
    await pool.end();
    return { slowestMs, reads };
  };
}

describe('a lock that others hold', () => {
  beforeEach(async () => {
    write('0001_first', 'CREATE TABLE public.first (id integer)');
    await run();
    write('0002_second', 'CREATE TABLE public.second (); ALTER TABLE public.first ADD COLUMN name text');
  });

  test('is waited for in short bites, while traffic goes on, and the migration is done once it is free', async () => {
    const reader = await aReader('public.first');
    const stop = traffic('public.first');
    let isDone = false;
    const migrating = run().finally(() => (isDone = true));
    await sleep(4_000);
    expect(isDone).toBe(false);
    await reader.leave();
    expect((await migrating).applied).toEqual(['0002_second']);
    const { slowestMs, reads } = await stop();
    expect(slowestMs).toBeLessThan(1_500);
    expect(reads).toBeGreaterThan(50);
    expect(await isThere('public.second')).toBe(true);
  });

  test('and never frees is named in the end, and nothing is half done', async () => {
    const reader = await aReader('public.first');
    const waits: string[] = [];
    const failure = await run({ lockPatience: impatient, onWait: (what) => waits.push(what) }).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({ code: 'migration_failed' });
    const { message } = failure as Error;
    expect(message).toContain(
      'Migration 0002_second failed: It was given up after 4 attempts of 200 ms each',
    );
    expect(message).toContain(`first is held by session ${reader.pid} (application "a-long-report", user "`);
    expect(message).toContain('pg_terminate_backend');
    // What a session has been told may be anybody's.
    expect(message).not.toContain('count(');
    expect(waits).toHaveLength(2);
    expect(waits[0]).toContain(`0002_second waits, attempt 2 of 4: first is held by session ${reader.pid}`);

    expect(await isThere('public.second')).toBe(false);
    const { rows } = await database.pool.query('SELECT name FROM schema_history.migrations');
    expect(rows).toEqual([{ name: '0001_first' }]);
    await reader.leave();
    expect((await run()).applied).toEqual(['0002_second']);
  });

  test('of a table of the queue is told of as well, and the limit ends with the migration', async () => {
    await aReader('public.first');
    const prepareQueue: Parameters<typeof migrate>[0]['prepareQueue'] = async (client) => {
      await client.query('ALTER TABLE public.first ADD COLUMN other text');
    };
    rmSync(join(folder, 'migrations/0002_second'), { recursive: true });
    await expect(run({ lockPatience: impatient, prepareQueue })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('The schema of the queue could not be laid out: It was given up'),
    });
    const clients = await Promise.all(Array.from({ length: 4 }, () => database.pool.connect()));
    for (const client of clients) {
      const { rows } = await client.query('SHOW lock_timeout');
      client.release();
      expect(rows).toEqual([{ lock_timeout: '0' }]);
    }
  });
});

test('our own change of all tables at once leaves an installation that is busy as it was', async () => {
  cpSync(join(prisma, 'migrations'), join(folder, 'migrations'), {
    recursive: true,
    filter: (source) => !/\/(?:001[4-9]|00[2-9]\d)_/.test(source),
  });
  await run({ prepareQueue: createQueueSchema });
  cpSync(join(prisma, 'migrations/0014_batches'), join(folder, 'migrations/0014_batches'), {
    recursive: true,
  });
  const reader = await aReader('swarmgate.messages');
  await expect(run({ lockPatience: impatient })).rejects.toThrow(
    /Migration 0014_batches failed: .*swarmgate\.messages is held by session/,
  );
  expect(await isThere('directory.workers')).toBe(false);
  await reader.leave();
  expect((await run()).applied).toEqual(['0014_batches']);
  expect(await isThere('directory.workers')).toBe(true);
});
