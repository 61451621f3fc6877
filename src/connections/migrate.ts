import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { AppError } from '#domain/errors.ts';
import type { QueueClient } from './database.ts';
import {
  LockHeldError,
  type LockPatience,
  lockPatienceDefault,
  type PatientParts,
  withLockPatience,
} from './lock-patience.ts';

const prismaFolder = join(dirname(fileURLToPath(import.meta.url)), '../../prisma');

/** Any fixed number: processes that migrate one database at the same time wait for each other on it. */
const advisoryLock = 727_073_690;

/** A migration that was applied is not what the file says now, or cannot be applied. */
export class MigrationError extends AppError<'migration_failed'> {
  override readonly name = 'MigrationError';

  constructor(message: string, cause?: unknown) {
    super('migration_failed', message, { cause });
  }
}

export type MigrateParts = {
  /** Connects as the owner. */
  pool: pg.Pool;
  /** Lays out the job queue's schema, which is the queue's own affair, under the same lock. */
  prepareQueue(client: QueueClient): Promise<void>;
  /** Login of the running service, when it is another than the owner. */
  serviceUser?: string;
  /** Where roles.sql and migrations/ stand; this version's own by default. */
  folder?: string;
  /** How long others' locks are waited for. */
  lockPatience?: LockPatience;
  /** Hears what is waited for, when that takes a while. */
  onWait?: (what: string) => void;
};

export type MigrateResult = { applied: string[]; waiting: { name: string; requires: string }[] };

type Migration = {
  name: string;
  sql: string;
  checksum: string;
  requires: string | undefined;
  inTransaction: boolean;
};

/**
 * Brings a database up to date: roles first, then each file of prisma/migrations that is not recorded yet, in name
 * order, each in a transaction of its own unless it says `-- no-transaction` (then it holds one statement). A file that
 * says `-- requires: EXTENSION` waits, unrecorded, until the extension is there or can be made. Forward only. Traffic goes
 * on meanwhile: a lock that others hold is waited for in short bites.
 *
 * @throws {MigrationError} when an applied file was changed, or one fails; those before it stay applied.
 */
export async function migrate({
  pool,
  prepareQueue,
  serviceUser,
  folder = prismaFolder,
  lockPatience: patience = lockPatienceDefault,
  onWait,
}: MigrateParts): Promise<MigrateResult> {
  await createRoles(pool, folder);
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    try {
      const waiting = { pool, client, patience, onWait };
      const result = await applyMigrations(waiting, folder);
      await layOutQueue(waiting, prepareQueue);
      if (serviceUser !== undefined) await admit(client, serviceUser);
      return result;
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [advisoryLock]);
    }
  } finally {
    client.release();
  }
}

/** Names of the migrations that this version needs and the database has not had. Newer ones than ours do not matter. */
export async function schemaGap(pool: pg.Pool, folder = prismaFolder): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>('SELECT name FROM schema_history.migrations');
  const applied = new Set(rows.map((row) => row.name));
  return readMigrations(folder)
    .filter((migration) => migration.requires === undefined && !applied.has(migration.name))
    .map((migration) => migration.name);
}

// Roles belong to the cluster, the advisory lock only to a database: two databases that are migrated at the same
// moment meet here, and the loser tries again.
async function createRoles(pool: pg.Pool, folder: string): Promise<void> {
  const sql = readFileSync(join(folder, 'roles.sql'), 'utf8');
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query(sql);
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      const metAnother = code === 'XX000' || code === '23505' || code === '42710';
      if (!metAnother || attempt >= 10) throw error;
      await sleep(20 * attempt + Math.random() * 50);
    }
  }
}

async function applyMigrations(waiting: PatientParts, folder: string): Promise<MigrateResult> {
  const { client } = waiting;
  await client.query(`CREATE SCHEMA IF NOT EXISTS schema_history;
    CREATE TABLE IF NOT EXISTS schema_history.migrations (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz(3) NOT NULL DEFAULT now());
    GRANT USAGE ON SCHEMA schema_history TO swarmgate_service;
    GRANT SELECT ON schema_history.migrations TO swarmgate_service`);
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM schema_history.migrations',
  );
  const known = new Map(rows.map((row) => [row.name, row.checksum]));

  const result: MigrateResult = { applied: [], waiting: [] };
  for (const migration of readMigrations(folder)) {
    const checksum = known.get(migration.name);
    if (checksum !== undefined) {
      if (checksum === migration.checksum) continue;
      throw new MigrationError(
        `Migration ${migration.name} was changed after it had been applied; put the file back and write a new one.`,
      );
    }
    if (migration.requires !== undefined && !(await offers(client, migration.requires))) {
      result.waiting.push({ name: migration.name, requires: migration.requires });
      continue;
    }
    await apply(waiting, migration);
    result.applied.push(migration.name);
  }
  return result;
}

async function apply(waiting: PatientParts, migration: Migration): Promise<void> {
  const { client } = waiting;
  const record = () =>
    client.query('INSERT INTO schema_history.migrations (name, checksum) VALUES ($1, $2)', [
      migration.name,
      migration.checksum,
    ]);
  const inTransaction = async () => {
    try {
      await client.query(`BEGIN; SET LOCAL lock_timeout = ${waiting.patience.lockTimeoutMs}`);
      await client.query(migration.sql);
      await record();
      await client.query('COMMIT');
    } catch (error) {
      // Over a connection that is lost there is nothing to be said, and nothing to be rolled back.
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  };
  try {
    if (migration.inTransaction) {
      await withLockPatience(naming(waiting, migration.name), inTransaction);
      return;
    }
    // CONCURRENTLY stands in nobody's way while it waits, and is not to be repeated: what it leaves behind has to go first.
    await client.query(migration.sql);
    await record();
  } catch (error) {
    throw new MigrationError(`Migration ${migration.name} failed: ${(error as Error).message}`, error);
  }
}

// The queue's library makes one transaction of what it has to change, and none otherwise.
async function layOutQueue(waiting: PatientParts, prepareQueue: MigrateParts['prepareQueue']): Promise<void> {
  const { client, patience } = waiting;
  await client.query(`SET lock_timeout = ${patience.lockTimeoutMs}`);
  try {
    await withLockPatience(naming(waiting, 'the schema of the queue'), () =>
      prepareQueue(client as unknown as QueueClient),
    );
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error;
    throw new MigrationError(`The schema of the queue could not be laid out: ${error.message}`, error);
  } finally {
    await client.query('RESET lock_timeout');
  }
}

function naming(waiting: PatientParts, name: string): PatientParts {
  const { onWait } = waiting;
  return { ...waiting, onWait: onWait && ((what) => onWait(`${name} waits, ${what}`)) };
}

// There already, or this user may make it: an owner who is no superuser may do so with trusted extensions only.
async function offers(client: pg.PoolClient, extension: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_extension WHERE extname = $1
     UNION ALL
     SELECT 1 FROM pg_available_extension_versions v, pg_roles r
       WHERE v.name = $1 AND r.rolname = current_user
         AND (r.rolsuper OR ((v.trusted OR NOT v.superuser) AND has_database_privilege(current_database(), 'CREATE')))`,
    [extension],
  );
  return (rowCount ?? 0) > 0;
}

// The service's own login gets what it needs to step into its roles, and nothing else.
async function admit(client: pg.PoolClient, serviceUser: string): Promise<void> {
  const { rows } = await client.query<{ admitted: boolean | null }>(
    `SELECT pg_has_role(r.oid, 'swarmgate_service', 'MEMBER') AND pg_has_role(r.oid, 'swarmgate_queue', 'MEMBER') AS admitted
       FROM pg_roles r WHERE r.rolname = $1`,
    [serviceUser],
  );
  if (rows.length === 0) {
    throw new MigrationError(
      `The user "${serviceUser}" of DATABASE_URL does not exist in the database; create it (CREATE ROLE … LOGIN) and migrate again.`,
    );
  }
  if (rows[0]?.admitted) return;
  await client.query(`GRANT swarmgate_service, swarmgate_queue TO ${client.escapeIdentifier(serviceUser)}`);
}

function readMigrations(folder: string): Migration[] {
  const migrations = join(folder, 'migrations');
  return readdirSync(migrations)
    .filter((name) => existsSync(join(migrations, name, 'migration.sql')))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(migrations, name, 'migration.sql'), 'utf8');
      return {
        name,
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
        requires: /^-- requires: (\w+)$/m.exec(sql)?.[1],
        inTransaction: !/^-- no-transaction$/m.test(sql),
      };
    });
}
