import { Redis } from 'ioredis';
import pg from 'pg';
import { testDatabaseUrl, testRedisUrl } from './test-backend.ts';

/** Makes a database on the test server, as a copy of another one when `template` is given, and answers its address. */
export async function createDatabase(name: string, template?: string): Promise<string> {
  await onServer(
    `CREATE DATABASE ${pg.escapeIdentifier(name)}${template ? ` TEMPLATE ${pg.escapeIdentifier(template)}` : ''}`,
  );
  return databaseUrl(name);
}

function databaseUrl(name: string): string {
  const url = new URL(testDatabaseUrl());
  url.pathname = `/${name}`;
  return url.href;
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(name: string): Promise<void> {
  await onServer(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

/** Removes every database whose name begins so: those of a run that was stopped in the middle too. */
export async function dropDatabases(prefix: string): Promise<void> {
  const rows = await onServer('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [prefix]);
  for (const { datname } of rows as { datname: string }[]) await dropDatabase(datname);
}

/** Removes the users whose name begins so. What they owned is gone by then. */
export async function dropUsers(prefix: string): Promise<void> {
  const rows = await onServer('SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)', [prefix]);
  for (const { rolname } of rows as { rolname: string }[])
    await onServer(`DROP ROLE ${pg.escapeIdentifier(rolname)}`);
}

// A script, as nothing comes in between: a queue that loses a part of what a job is made of does not recover from it,
// and does not need to, as a Redis that forgets does so at once.
const removeAtOnce = `
  for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end
`;

/** Removes the keys of the test Redis that begin so, all at once; everybody else's stay. */
export async function removeRedisKeys(prefix: string): Promise<void> {
  const redis = new Redis(testRedisUrl());
  try {
    await redis.eval(removeAtOnce, 0, `${prefix}*`);
  } finally {
    redis.disconnect();
  }
}

async function onServer(sql: string, parameters: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: testDatabaseUrl() });
  await client.connect();
  try {
    return (await client.query(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}
