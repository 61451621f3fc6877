import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';

export type Servers = Awaited<ReturnType<typeof openServers>>;

/**
 * The Postgres and the Redis that a benchmark uses: databases of its own on the server of BENCH_DATABASE_URL (127.0.0.1
 * as `postgres` when absent), and the numbered databases from that of BENCH_REDIS_URL on (9 when absent), which must be
 * empty and are emptied at the end.
 */
export async function openServers() {
  const serverUrl = process.env['BENCH_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
  const firstRedisUrl = process.env['BENCH_REDIS_URL'] ?? 'redis://127.0.0.1:6379/9';
  const databases: string[] = [];
  const stores: Redis[] = [];

  return {
    /** A new, empty database. */
    async createDatabase(): Promise<string> {
      const name = `swarmgate_bench_${randomBytes(4).toString('hex')}`;
      await runSql(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      databases.push(name);
      const url = new URL(serverUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    /** The next numbered database, which nobody else uses. @throws when it is not empty */
    async takeRedis(): Promise<string> {
      const url = new URL(firstRedisUrl);
      url.pathname = `/${Number(url.pathname.slice(1) || 0) + stores.length}`;
      const store = new Redis(url.href, { maxRetriesPerRequest: 1 });
      if ((await store.dbsize()) > 0) {
        store.disconnect();
        throw new Error(
          `${url.href} is not empty. Give BENCH_REDIS_URL a numbered database from which on all are.`,
        );
      }
      stores.push(store);
      return url.href;
    },
    async close(): Promise<void> {
      for (const name of databases)
        await runSql(serverUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
      for (const store of stores) {
        await store.flushdb();
        store.disconnect();
      }
    },
  };
}

/** Runs SQL as the owner of a database. */
export async function runSql(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
