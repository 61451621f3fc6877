import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openEmbeddedDatabase } from '#connections/embedded.ts';
import { migrateServer } from '#connections/migrate-server.ts';
import { newId } from '#domain/ids.ts';
import { createQueueSchema } from '#queue/queue-schema.ts';
import { createDatabase, dropDatabases, removeRedisKeys } from './own-databases.ts';
import { testBackend } from './test-backend.ts';

/** A migrated, empty database that tests copy: a folder or a database's name. `prefix` begins every name of the run. */
export type MigratedTemplate = { prefix: string; place: string };

declare module 'vitest' {
  interface ProvidedContext {
    migratedTemplate: MigratedTemplate;
  }
}

/** Migrates once a run, because each test that needs a database of its own would spend seconds on it. */
export default async function migrateTemplate(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `swarmgate_test_${newId().slice(-12)}_`;
  return testBackend(project.config.env) === 'embedded'
    ? migrateFolder(project, prefix)
    : migrateDatabase(project, prefix);
}

async function migrateFolder(project: TestProject, prefix: string): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const database = await openEmbeddedDatabase(createQueueSchema, folder);
  await database.close();
  project.provide('migratedTemplate', { prefix, place: folder });
  return () => rm(folder, { recursive: true });
}

async function migrateDatabase(project: TestProject, prefix: string): Promise<() => Promise<void>> {
  const place = `${prefix}template`;
  const url = await createDatabase(place);
  await migrateServer({ url, adminUrl: url }, createQueueSchema);
  project.provide('migratedTemplate', { prefix, place });
  // What a test that was cut off has left behind goes too.
  return async () => {
    await dropDatabases(prefix);
    await removeRedisKeys(prefix);
  };
}
