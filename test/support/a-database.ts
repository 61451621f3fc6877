import pg from 'pg';
import { onTestFinished } from 'vitest';
import { readConfig } from '#config/config.ts';
import { createLogger } from '#kernel/logger.ts';
import { openStorage, type Storage } from '../../src/storage.ts';
import { anInstallation } from './an-installation.ts';

export type TestDatabase = Storage & {
  /** Runs SQL as the superuser who owns everything, whom row-level security does not bind. */
  asOwner<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  /** How a client gets to be the role that the service's connections start in. */
  asService<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
};

type AtEnd = (end: () => Promise<void>) => void;

/** A migrated, empty database of its own, opened as the service opens it; it goes with the test, or with `atEnd`. */
export async function aDatabase(atEnd: AtEnd = onTestFinished): Promise<TestDatabase> {
  const installation = await anInstallation();
  const config = readConfig(installation.env);
  const storage = await openStorage(config, createLogger('silent'));
  const { pool } = storage.database;
  const owners =
    config.database.kind === 'server'
      ? new pg.Pool({ connectionString: config.database.url, max: 2 })
      : undefined;
  // They may outlive the pool for a moment, until the database is dropped under them.
  owners?.on('error', () => {});
  owners?.on('connect', (client) => client.on('error', () => {}));
  atEnd(async () => {
    await owners?.end();
    await storage.close();
    await installation.remove();
  });

  return {
    ...storage,
    asOwner: (work) => (owners ? borrow(owners, work) : borrow(pool, (client) => asSuperuser(client, work))),
    asService: (work) => borrow(pool, work),
  };
}

async function borrow<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

// The embedded database has one session, which began as the superuser.
async function asSuperuser<T>(
  client: pg.ClientBase,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  await client.query('SET SESSION AUTHORIZATION postgres');
  try {
    return await work(client);
  } finally {
    await client.query('SET SESSION AUTHORIZATION swarmgate_service');
  }
}
