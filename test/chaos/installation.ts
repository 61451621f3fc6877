import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitPassages } from '#agents/knowledge/split-passages.ts';
import { readConfig } from '#config/config.ts';
import type { Env } from '#config/env.ts';
import { migrateServer } from '#connections/migrate-server.ts';
import { createLogger } from '#kernel/logger.ts';
import { createQueueSchema } from '#queue/queue-schema.ts';
import { apply } from '#tenancy/apply/apply.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import { openStorage } from '../../src/storage.ts';
import { type JourneyRows, readJourneyRows } from '../support/journey-rows.ts';
import { createDatabase, dropDatabase } from '../support/own-databases.ts';

/**
 * A migrated database of its own on the test server, and the runner's own way into it, past every fault.
 * `prefix` begins its name. `env`: what leads a process to it, but for the addresses of servers.
 */
export async function makeInstallation(prefix: string) {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  const databaseUrl = await createDatabase(name);
  const dataDir = await mkdtemp(join(tmpdir(), `${name}_`));
  const remove = async () => {
    await dropDatabase(name);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await migrateServer({ url: databaseUrl, adminUrl: databaseUrl }, createQueueSchema);
    const env: Env = {
      DATA_DIR: dataDir,
      MASTER_KEYS: `faults:${randomBytes(32).toString('base64')}`,
      HOST: '127.0.0.1',
    };
    const storage = await openStorage(
      readConfig({ ...env, DATABASE_URL: databaseUrl }),
      createLogger('silent'),
    );
    return {
      databaseUrl,
      env,
      apply: (plan: ApplyPlan) =>
        apply(
          { ...storage, splitPassages, keepMember: async () => 'unchanged', keepWebhooks: async () => [] },
          plan,
          { dryRun: false },
        ),
      rows: (tenantSlug: string): Promise<JourneyRows> => readJourneyRows(storage.scopes, tenantSlug),
      async remove(): Promise<void> {
        await storage.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
