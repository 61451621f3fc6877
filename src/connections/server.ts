import pg from 'pg';
import type { Database, QueuePool } from './database.ts';
import { DatabaseError } from './database-error.ts';
import { createListener } from './listener.ts';
import { schemaGap } from './migrate.ts';

/** How many connections one process opens at most: `application` for units and hot-path calls, `queue` for BullMQ. */
export type PoolSizes = { application: number; queue: number };

/**
 * Connects to a Postgres server (15 or later) that `swarmgate migrate` has prepared. Each connection starts in the
 * restricted role, so a statement outside a scope finds nothing.
 *
 * @throws {DatabaseError} when it cannot be reached, or its schema is older than this version needs.
 */
export async function openServerDatabase(
  url: string,
  onIdleError: (error: Error) => void,
  sizes: PoolSizes = { application: 12, queue: 10 },
): Promise<Database> {
  const pool = createPool(url, serviceSession, sizes.application, onIdleError);
  const queuePool = createPool(url, queueSession, sizes.queue, onIdleError);
  const listener = createListener(url, onIdleError);
  const close = async () => {
    await listener.close();
    await Promise.all([pool.end(), queuePool.end()]);
  };
  try {
    await checkSchema(pool);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kind: 'server',
    pool,
    queuePool: queuePool as unknown as QueuePool,
    listen: listener.listen,
    close,
  };
}

// Every statement here has an index. While a table is small, reading all of it is the cheaper plan, and a connection keeps
// that plan when the table has grown; so it is not offered, and what has no index after all is not compiled for its cost.
const planning = '-c enable_seqscan=off -c jit=off';
// No visitor's question and no unit that stands still keeps a connection for good: each process has few.
const serviceSession = `-c role=swarmgate_service -c search_path=pg_catalog ${planning} -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s`;
// A wake-up that a crash of the server forgets is the sweeper's to repeat, so the queue need not wait for its disk.
const queueSession = '-c role=swarmgate_queue -c search_path=bullmq -c synchronous_commit=off';

function createPool(url: string, options: string, max: number, onIdleError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    // A server that hangs does not keep its own statement_timeout.
    query_timeout: 35_000,
    options,
    application_name: 'swarmgate',
  });
  // A connection that dies while idle would otherwise end the process; so would one that dies between two statements of
  // whoever has it, who learns of it by the next one.
  pool.on('error', onIdleError);
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

async function checkSchema(pool: pg.Pool): Promise<void> {
  const gap = await schemaGap(pool).catch((error: unknown) => {
    throw explainConnectFailure(error);
  });
  if (gap.length > 0) {
    throw new DatabaseError(
      'database_not_migrated',
      `The database lacks ${gap.join(', ')}: run "swarmgate migrate" first.`,
    );
  }
}

/** Says in one line why a connection failed, and what to do. */
export function explainConnectFailure(error: unknown): DatabaseError {
  const { code, message } = error as { code?: string; message: string };
  switch (code) {
    case '22023': // role in the start-up options does not exist
    case '42P01':
    case '3F000':
      return new DatabaseError(
        'database_not_migrated',
        'The database is not prepared yet: run "swarmgate migrate" first.',
        error,
      );
    case '42501':
      return new DatabaseError(
        'database_refused',
        'The user of DATABASE_URL may not become swarmgate_service: run "swarmgate migrate" with DATABASE_ADMIN_URL set and the same DATABASE_URL.',
        error,
      );
    case '28P01':
    case '28000':
    case '3D000':
      return new DatabaseError('database_refused', `The database refused DATABASE_URL: ${message}.`, error);
    default:
      return new DatabaseError(
        'database_unreachable',
        `The database cannot be reached: ${code ?? message}. Check DATABASE_URL and that the server runs.`,
        error,
      );
  }
}
