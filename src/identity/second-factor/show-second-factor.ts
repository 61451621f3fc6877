import type { Uuid } from '#domain/ids.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { useRecoveryCode } from './recovery-codes.ts';
import { stepOfCode } from './totp-code.ts';

/** The longest that is looked at; a recovery code is the longer of the two. */
const codeLengthMax = 64;

/**
 * Looks at a code of the app, or at a recovery code, and uses it up: the app's code is good once, and so is none of an
 * earlier step (RFC 6238 §5.2, ASVS 5.0 V6.5.1). `undefined`: it is neither.
 */
export async function showSecondFactor(
  { unit, keyRing, nowMs }: { unit: Unit; keyRing: KeyRing; nowMs: number },
  userId: Uuid,
  code: string,
): Promise<'otp' | 'recovery' | undefined> {
  if (code.length > codeLengthMax) return undefined;
  const [row] = await unit.sql<{ sealed_secret: string }>(
    'SELECT sealed_secret FROM identity.totp WHERE user_id = $1 AND confirmed_at IS NOT NULL',
    [userId],
  );
  const step = row && stepOfCode(keyRing.open(row.sealed_secret, totpPlace(userId)), code, nowMs);
  if (step === undefined) return (await useRecoveryCode(unit, userId, code)) ? 'recovery' : undefined;
  return (await takeStep(unit, userId, step)) ? 'otp' : undefined;
}

/** Of two that come with the same code at once, the row's lock lets one have it. */
export async function takeStep(unit: Unit, userId: Uuid, step: number): Promise<boolean> {
  const taken = await unit.sql(
    'UPDATE identity.totp SET last_used_step = $2 WHERE user_id = $1 AND last_used_step < $2 RETURNING 1 AS taken',
    [userId, step],
  );
  return taken.length > 0;
}

export function totpPlace(userId: Uuid): SealPlace {
  return { tenantId: userId, table: 'totp', column: 'secret' };
}
