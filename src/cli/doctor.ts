import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '#config/config.ts';
import type { Storage } from '../storage.ts';
import { examineChannels } from './doctor-channels.ts';
import { examineTransport } from './doctor-transport.ts';
import { examine, type Finding } from './findings.ts';

const freeBytesLow = 1024 ** 3;
const backlogSecondsHigh = 60;

/** What can be told without the database. */
export async function examineMachine(config: Config): Promise<Finding[]> {
  return [
    { check: 'node', state: 'ok', says: process.versions.node },
    await examine('data directory', async () => {
      const existing = nearestExisting(config.dataDir);
      accessSync(existing, constants.W_OK);
      const { bavail, bsize } = statfsSync(existing);
      const free = `${(Number(bavail * bsize) / 1024 ** 3).toFixed(1)} GB free`;
      if (bavail * bsize < freeBytesLow)
        return {
          state: 'warning',
          says: `${config.dataDir}: only ${free}`,
          mend: 'make room, or move DATA_DIR to a larger disk',
        };
      const loose = existing === config.dataDir && (statSync(existing).mode & 0o077) !== 0;
      if (loose)
        return {
          state: 'warning',
          says: `${config.dataDir}: other users of this machine may look into it`,
          mend: `chmod 700 ${config.dataDir}`,
        };
      return { state: 'ok', says: `${config.dataDir}: ${free}` };
    }),
    ...examineTransport(config),
    ...(config.database.kind === 'embedded'
      ? [
          {
            check: 'durability',
            state: 'note' as const,
            says: 'the embedded database survives a killed process, not a power cut',
            mend: 'for what must not be lost, set DATABASE_URL to a Postgres server (docs/operations.md)',
          },
        ]
      : []),
  ];
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** What the data tells. Reads only. */
export async function runDoctor(config: Config, storage: Storage): Promise<Finding[]> {
  const { database, scopes } = storage;
  return [
    await examine('database role', async () => {
      if (database.kind === 'embedded') return { state: 'ok', says: 'restricted (row-level security holds)' };
      const { rows } = await database.pool.query<{ powerful: boolean; name: string }>(
        'SELECT r.rolsuper OR r.rolbypassrls AS powerful, r.rolname AS name FROM pg_catalog.pg_roles r WHERE r.rolname = session_user',
      );
      if (!rows[0]?.powerful)
        return { state: 'ok', says: `${rows[0]?.name}, restricted (row-level security holds)` };
      return {
        state: 'warning',
        says: `DATABASE_URL signs in as "${rows[0].name}", which could bypass row-level security if the code did not step down`,
        mend: 'give the service a login of its own, and the owner to DATABASE_ADMIN_URL (docs/operations.md)',
      };
    }),
    await examine('vectors', async () => {
      const { rowCount } = await database.pool.query(
        "SELECT 1 FROM schema_history.migrations WHERE name LIKE '%_knowledge_vectors'",
      );
      return rowCount
        ? { state: 'ok', says: 'pgvector is installed' }
        : { state: 'note', says: 'pgvector is not installed; knowledge is found by words alone' };
    }),
    await examine('tenants', async () => {
      const rows = await scopes.inPlatform((unit) =>
        unit.sql<{ status: string; n: string }>(
          'SELECT status, count(*) AS n FROM directory.tenants GROUP BY status ORDER BY status',
        ),
      );
      if (rows.length === 0)
        return {
          state: 'note',
          says: 'there is none yet',
          mend: 'npx swarmgate apply demo.yaml, or a file of your own (docs/apply.md)',
        };
      return { state: 'ok', says: rows.map(({ status, n }) => `${n} ${status}`).join(', ') };
    }),
    await examine('backlog', async () => {
      const rows = await scopes.call<{ kind: string; depth: string; oldest_seconds: number }>(
        'swarmgate.backlog_v1',
        [],
      );
      const says = rows
        .map(
          ({ kind, depth, oldest_seconds: age }) =>
            `${depth} ${kind}${Number(depth) > 0 ? ` (oldest ${age.toFixed(0)} s)` : ''}`,
        )
        .join(', ');
      const stuck = rows.some(({ oldest_seconds: age }) => age > backlogSecondsHigh);
      return stuck
        ? { state: 'warning', says, mend: 'is a process with the roles worker and scheduler running?' }
        : { state: 'ok', says: `due: ${says}` };
    }),
    await examine('models', async () => {
      const withKey = Object.entries(config.models).flatMap(([name, access]) =>
        access.apiKey || access.baseUrl ? [name] : [],
      );
      return {
        state: 'ok',
        says: `builtin${withKey.length > 0 ? `, ${withKey.join(', ')} (keys of the environment)` : ''}`,
      };
    }),
    ...(await examineChannels(config, storage)),
  ];
}
