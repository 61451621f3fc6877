/** Fails when prisma/schema.prisma and the tables that prisma/migrations make are not the same; needs no server. */
import { ensureInstalled } from '../ensure-installed.ts';

ensureInstalled('prisma');
const { migratedDatabase } = await import('./migrated-database.ts');
const { diffToSchema } = await import('./schema-diff.ts');

const database = await migratedDatabase();
const drift = await diffToSchema(database);
if (drift !== undefined) {
  console.error(
    `prisma/schema.prisma and prisma/migrations differ. What the migrations would lack:\n\n${drift}`,
  );
  process.exitCode = 1;
}

// A diff that can no longer fail would look like a clean one.
await database.exec('ALTER TABLE directory.organizations ADD COLUMN planted_by_the_drift_check text');
const planted = await diffToSchema(database);
if (planted === undefined || !planted.includes('planted_by_the_drift_check')) {
  console.error('The drift check is blind: it did not see a column that it had added itself.');
  process.exitCode = 1;
}
await database.close();
