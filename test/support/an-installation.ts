import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Env } from '#config/env.ts';
import { createDatabase, dropDatabase, removeRedisKeys } from './own-databases.ts';
import { testBackend, testRedisUrl } from './test-backend.ts';

/** The data of one installation of the service, empty at first. It outlives the processes that work on it. */
export type Installation = {
  /** The environment that leads a process to it. */
  env: Env;
  redisPrefix: string;
  remove(): Promise<void>;
};

/** Makes an installation on the backend of this run. */
export async function anInstallation(): Promise<Installation> {
  return testBackend() === 'embedded' ? inAFolder() : onServers();
}

async function inAFolder(): Promise<Installation> {
  const { prefix, place } = inject('migratedTemplate');
  const dataDir = await mkdtemp(join(tmpdir(), prefix));
  await cp(place, join(dataDir, 'database'), { recursive: true });
  return {
    env: { DATA_DIR: dataDir },
    redisPrefix: '',
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}

async function onServers(): Promise<Installation> {
  const { prefix, place } = inject('migratedTemplate');
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  const auditDir = join(tmpdir(), name);
  return {
    env: {
      DATABASE_URL: await createDatabase(name, place),
      REDIS_URL: testRedisUrl(),
      MASTER_KEYS: `test:${randomBytes(32).toString('base64')}`,
      AUDIT_DIR: auditDir,
    },
    redisPrefix: name,
    async remove() {
      await dropDatabase(name);
      await removeRedisKeys(name);
      await rm(auditDir, { recursive: true, force: true });
    },
  };
}
