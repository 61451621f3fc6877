import pg from 'pg';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { openEmbeddedDatabase } from '#connections/embedded.ts';

/** Runs SQL as whoever owns an installation's database, while no service has it. */
export async function asOwnerOf(env: Env, sql: string): Promise<void> {
  const { database } = readConfig(env);
  if (database.kind === 'server') {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(sql);
    await client.end();
    return;
  }
  const opened = await openEmbeddedDatabase(undefined, database.directory);
  try {
    await opened.pool.query('SET SESSION AUTHORIZATION postgres');
    await opened.pool.query(sql);
  } finally {
    await opened.close();
  }
}
