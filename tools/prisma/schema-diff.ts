import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { prismaFolder } from './project-paths.ts';

instantiateEngine();

/** The SQL that would turn the database into what prisma/schema.prisma says, or undefined when it is that already. */
export async function diffToSchema(database: PGlite): Promise<string | undefined> {
  const schema = {
    path: 'schema.prisma',
    content: readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8'),
  };
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(database));
  const schemaEngine = await engine.SchemaEngine.new(
    { datamodels: [[schema.path, schema.content]] },
    () => undefined,
    adapter,
  );
  const { exitCode, stdout } = await schemaEngine.diff({
    from: { tag: 'schemaDatasource', configDir: '.', files: [schema] }, // the database behind the adapter
    to: { tag: 'schemaDatamodel', files: [schema] },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  });
  if (exitCode === 0) return undefined;
  return stdout ?? '(the engine gave no SQL)';
}

// The package brings the engine as WebAssembly without a loader for Node.
function instantiateEngine(): void {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const module = new WebAssembly.Module(readFileSync(join(folder, 'schema_engine_bg.wasm')));
  const instance = new WebAssembly.Instance(module, { './schema_engine_bg.js': engine });
  const start = instance.exports['__wbindgen_start'];
  if (typeof start !== 'function')
    throw new Error('This schema engine starts in another way than the last one.');
  engine.__wbg_set_wasm(instance.exports);
  start();
}
