import pg from 'pg';
import { type MigrateParts, type MigrateResult, migrate } from './migrate.ts';
import { explainConnectFailure } from './server.ts';

/** Migrates a Postgres server as the owner of `adminUrl`, and admits the user of `url` to the service's roles. */
export async function migrateServer(
  { url, adminUrl }: { url: string; adminUrl: string },
  prepareQueue: MigrateParts['prepareQueue'],
  { onWait, lockPatience }: Pick<MigrateParts, 'onWait' | 'lockPatience'> = {},
): Promise<MigrateResult> {
  // The second connection looks who is in the way of the first.
  const pool = new pg.Pool({ connectionString: adminUrl, max: 2, application_name: 'swarmgate-migrate' });
  // A connection that is lost between two statements fails the next one; unheard, it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const serviceUser = decodeURIComponent(new URL(url).username);
  try {
    await pool.query('SELECT 1').catch((error: unknown) => {
      throw explainConnectFailure(error);
    });
    return await migrate({
      ...{ pool, prepareQueue },
      ...(serviceUser !== '' && { serviceUser }),
      ...(lockPatience && { lockPatience }),
      ...(onWait && { onWait }),
    });
  } finally {
    await pool.end();
  }
}
