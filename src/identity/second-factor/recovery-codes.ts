import { createHash, randomInt } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

const codesPerPerson = 10;
// No letter or digit that is taken for another.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
const groups = 6;
const groupLength = 4;

/**
 * Codes for the day when the second factor is lost, each good once. The old ones are good no more. 118 random bits each, so
 * that a fast hash is enough (NIST SP 800-63B §3.1.2.2).
 */
export async function replaceRecoveryCodes(unit: Unit, userId: Uuid): Promise<string[]> {
  const codes = Array.from({ length: codesPerPerson }, newCode);
  await unit.sql('DELETE FROM identity.recovery_codes WHERE user_id = $1', [userId]);
  await unit.sql('INSERT INTO identity.recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])', [
    userId,
    codes.map(hashOf),
  ]);
  return codes;
}

/** Uses a code up. Of two that come with the same one at once, one has used it. */
export async function useRecoveryCode(unit: Unit, userId: Uuid, code: string): Promise<boolean> {
  const used = await unit.sql(
    `UPDATE identity.recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL
       RETURNING 1 AS used`,
    [userId, hashOf(code)],
  );
  return used.length > 0;
}

function newCode(): string {
  const group = () =>
    Array.from({ length: groupLength }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: groups }, group).join('-');
}

// As people type them: with or without the dashes, in capitals or not.
function hashOf(code: string): Buffer {
  return createHash('sha256')
    .update(code.toLowerCase().replace(/[^a-z0-9]/g, ''))
    .digest();
}
