import { AppError } from '#domain/errors.ts';
import { equalInConstantTime, type KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from './scopes.ts';

/** The process has other master keys than those that sealed the secrets of this database. */
export class WrongMasterKeysError extends AppError<'wrong_master_keys'> {
  override readonly name = 'WrongMasterKeysError';

  constructor(keyId: string, what: string) {
    super(
      'wrong_master_keys',
      `The master key "${keyId}", which sealed secrets of this database, ${what}. Bring it back (MASTER_KEYS, or DATA_DIR/master.key): without it those secrets cannot be opened.`,
    );
  }
}

/**
 * Holds the keys of this process against those that the database knows. With `record`, makes the one that seals known,
 * before anything is sealed with it; the others have sealed something here, or do not matter.
 * @throws {WrongMasterKeysError}
 */
export async function checkMasterKeys(
  scopes: Scopes,
  keyRing: KeyRing,
  { record }: { record: boolean },
): Promise<void> {
  await scopes.inPlatform(async (unit) => {
    const [sealing = ''] = keyRing.keyIds;
    if (record) {
      await unit.sql(
        'INSERT INTO swarmgate.master_keys (id, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [sealing, keyRing.checkValue(sealing)],
      );
    }
    // Read after it was written: of two first starts with other bytes under one id, the second finds the first's.
    const known = await unit.sql<{ id: string; check_value: string }>(
      'SELECT id, check_value FROM swarmgate.master_keys',
    );
    for (const { id, check_value: checkValue } of known) {
      const ours = keyRing.checkValue(id);
      if (ours === undefined) throw new WrongMasterKeysError(id, 'is missing');
      if (!equalInConstantTime(ours, checkValue))
        throw new WrongMasterKeysError(id, 'has other bytes than it had');
    }
  });
}
