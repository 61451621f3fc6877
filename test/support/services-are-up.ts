import { Redis } from 'ioredis';
import pg from 'pg';
import { testDatabaseUrl, testRedisUrl } from './test-backend.ts';

const patienceMs = 5_000;

/** Stops `npm run test:services` before its first test, with one clear line, when a server does not answer. */
export default async function servicesAreUp(): Promise<void> {
  try {
    await postgresAnswers(testDatabaseUrl());
    await redisAnswers(testRedisUrl());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1); // a thrown error would stand below vitest's "No test files found"
  }
}

async function postgresAnswers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: patienceMs });
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    throw new Error(
      `Postgres does not answer at TEST_DATABASE_URL=${withoutPassword(url)} (${reason(error)})`,
    );
  } finally {
    await client.end();
  }
}

async function redisAnswers(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, connectTimeout: patienceMs, retryStrategy: () => null });
  let firstError: unknown;
  client.on('error', (error) => {
    firstError ??= error; // says why; the rejection of connect() only says that the connection is closed
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new Error(
      `Redis does not answer at TEST_REDIS_URL=${withoutPassword(url)} (${reason(firstError ?? error)})`,
    );
  } finally {
    client.disconnect();
  }
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = 'xxx';
  return shown.href;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
