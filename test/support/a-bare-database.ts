import { randomBytes } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { createDatabase, dropDatabase, dropUsers } from './own-databases.ts';
import { testBackend } from './test-backend.ts';

type AtEnd = (end: () => Promise<void>) => void;

/** An empty database of its own, as its owner finds it before the first migration. */
export async function aBareDatabase(atEnd: AtEnd = onTestFinished): Promise<pg.Pool> {
  return testBackend() === 'embedded' ? inMemory(atEnd) : (await aBareServerDatabase(atEnd)).pool;
}

async function inMemory(atEnd: AtEnd): Promise<pg.Pool> {
  const db = await PGlite.create({ extensions: { vector } });
  const pool = new pg.Pool({
    ...(createPgConfig(db) as unknown as pg.PoolConfig),
    max: 1,
    idleTimeoutMillis: 0,
  });
  atEnd(async () => {
    await pool.end();
    await db.close();
  });
  return pool;
}

/** The same on the server, with its address. Users that a test makes are named after it, and go with it. */
export async function aBareServerDatabase(
  atEnd: AtEnd = onTestFinished,
): Promise<{ name: string; url: string; pool: pg.Pool }> {
  const name = `${inject('migratedTemplate').prefix}${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // Its connections may outlive it for a moment, until the database is dropped under them.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  atEnd(async () => {
    await pool.end();
    await dropDatabase(name);
    await dropUsers(`${name}_`);
  });
  return { name, url, pool };
}
