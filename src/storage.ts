import type { Config } from '#config/config.ts';
import { loadMasterKeys } from '#config/secrets.ts';
import type { Database } from '#connections/database.ts';
import { openEmbeddedDatabase } from '#connections/embedded.ts';
import { openServerDatabase } from '#connections/server.ts';
import { createKeyRing, type KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import { createEmptyQueueSchema } from '#queue/queue-schema.ts';
import { checkMasterKeys } from '#tenancy/master-key-check.ts';
import { createScopes, type Scopes } from '#tenancy/scopes.ts';

/** The data of an installation, opened with the keys that fit it: what the service and each command begin with. */
export type Storage = { database: Database; scopes: Scopes; keyRing: KeyRing; close(): Promise<void> };

/**
 * Opens the database that the configuration names. With `readOnly` it is taken as it is: nothing is made, migrated,
 * recorded or freed.
 * @throws an `AppError` that says what to do: unreachable, in use, not migrated, or sealed with other master keys.
 */
export async function openStorage(
  config: Config,
  logger: Logger,
  { readOnly = false }: { readOnly?: boolean } = {},
): Promise<Storage> {
  const keyRing = createKeyRing(loadMasterKeys(config.masterKeys, { make: !readOnly }));
  const database =
    config.database.kind === 'embedded'
      ? await openEmbeddedDatabase(readOnly ? undefined : createEmptyQueueSchema, config.database.directory)
      : await openServerDatabase(config.database.url, (error) =>
          logger.warn({ err: error }, 'a database connection broke'),
        );
  const scopes = createScopes(database);
  const close = async () => {
    await scopes.close();
    await database.close();
  };
  try {
    await checkMasterKeys(scopes, keyRing, { record: !readOnly });
  } catch (error) {
    await close();
    throw error;
  }
  return { database, scopes, keyRing, close };
}
