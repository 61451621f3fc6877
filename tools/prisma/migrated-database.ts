import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { prismaFolder } from './project-paths.ts';

/** A database in memory that has had every migration. */
export async function migratedDatabase(): Promise<PGlite> {
  const database = await PGlite.create({ extensions: { vector } });
  await database.exec(readFileSync(join(prismaFolder, 'roles.sql'), 'utf8'));
  const migrations = readdirSync(join(prismaFolder, 'migrations'))
    .map((name) => join(prismaFolder, 'migrations', name, 'migration.sql'))
    .filter((path) => existsSync(path))
    .sort();
  for (const path of migrations) await database.exec(readFileSync(path, 'utf8'));
  return database;
}
