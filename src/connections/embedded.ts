import { mkdirSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { lockDataDirectory } from './data-directory-lock.ts';
import type { Database } from './database.ts';
import { createNotifications } from './embedded-notifications.ts';
import { createEmbeddedQueuePool } from './embedded-queue-pool.ts';
import { type MigrateParts, migrate } from './migrate.ts';

/** The database's own cache of pages. Its 128 MB are held in this process from the start, beside the system's cache. */
const sharedBuffers = '32MB';
/** Two files of this size are written before the first message comes. */
const walSegmentMb = 4;

/**
 * Opens the embedded database (Postgres compiled to WebAssembly, in this process) and migrates it.
 *
 * It has one session. The pool's only client stands for it: whoever has that client checked out has the session, so the
 * pool's queue is the one lock that application and job queue share.
 *
 * `directory` absent: in memory, for tests. `prepareQueue` absent: what is there is opened as it is.
 */
export async function openEmbeddedDatabase(
  prepareQueue: MigrateParts['prepareQueue'] | undefined,
  directory?: string,
): Promise<Database> {
  const lock = directory === undefined ? undefined : lockDataDirectory(directory);
  try {
    // PGlite does not make the folders above its own.
    if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
    const db = await PGlite.create({
      ...(directory !== undefined && { dataDir: `${directory}/pgdata` }),
      extensions: { vector },
      initDbStartParams: [`--wal-segsize=${walSegmentMb}`],
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${sharedBuffers}`],
    });
    const pool = new pg.Pool({ ...sessionConfig(db), max: 1, idleTimeoutMillis: 0 });
    const notifications = createNotifications(pool);
    if (prepareQueue) {
      await migrate({ pool, prepareQueue });
      await forgetLeases(pool);
    }
    await stepDown(pool);
    return {
      kind: 'embedded',
      pool,
      queuePool: createEmbeddedQueuePool(pool, notifications),
      listen: notifications.listen,
      async close() {
        await pool.end();
        await db.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

// The lock on the directory proves that whoever held these is gone: what was at work when the process was killed goes on
// at once instead of when the leases run out.
async function forgetLeases(pool: pg.Pool): Promise<void> {
  await pool.query(
    'UPDATE swarmgate.conversations SET lease_holder = NULL, lease_expires_at = NULL WHERE lease_expires_at IS NOT NULL',
  );
  await pool.query(
    'UPDATE swarmgate.deliveries SET claim_holder = NULL, claim_expires_at = NULL WHERE claim_expires_at IS NOT NULL',
  );
}

// The session began as superuser, which row-level security does not bind. From here on it is the service's: RESET ROLE
// and SET ROLE NONE lead back to the service. Unqualified names are the queue's; the application writes its schemas out.
async function stepDown(pool: pg.Pool): Promise<void> {
  await pool.query('GRANT swarmgate_queue TO swarmgate_service WITH INHERIT TRUE');
  await pool.query('SET SESSION AUTHORIZATION swarmgate_service');
  await pool.query('SET search_path = bullmq, pg_catalog');
}

// PGlite takes `types` of a query for a list of type ids; Prisma's adapter puts its parsers there.
function sessionConfig(db: PGlite): pg.PoolConfig {
  const config = createPgConfig(db);
  const connection = config.connection as unknown as { parse(query: { types?: unknown }): void };
  const parse = connection.parse.bind(connection);
  connection.parse = (query) => parse(Array.isArray(query.types) ? query : { ...query, types: undefined });
  return config as unknown as pg.PoolConfig;
}
