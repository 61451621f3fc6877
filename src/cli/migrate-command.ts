import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { maskUrl } from '#config/config-error.ts';
import { readEnv } from '#config/env.ts';
import type { MigrateResult } from '#connections/migrate.ts';

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('bring the database of DATABASE_URL up to date, as the owner of DATABASE_ADMIN_URL')
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { database } = readConfig(readEnv());
      if (database.kind === 'embedded') {
        const note = 'The embedded database is brought up to date by itself whenever it is opened.';
        console.log(json ? JSON.stringify({ applied: [], waiting: [], note }) : note);
        return;
      }
      const { migrateServer } = await import('#connections/migrate-server.ts');
      const { createQueueSchema } = await import('#queue/queue-schema.ts');
      const result = await migrateServer(database, createQueueSchema, {
        onWait: (what) => console.error(what),
      });
      console.log(json ? JSON.stringify(result) : describe(result, database.adminUrl));
    });
}

function describe({ applied, waiting }: MigrateResult, adminUrl: string): string {
  return [
    ...applied.map((name) => `applied  ${name}`),
    ...waiting.map(
      ({ name, requires }) =>
        `waiting  ${name} (needs the extension "${requires}", which this server does not offer or this user may not make)`,
    ),
    `The database ${maskUrl(adminUrl)} is up to date.`,
  ].join('\n');
}
