import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { resetSecondFactor } from '../second-factor/second-factors.ts';

/** Nobody but the account itself says that the address is theirs: it gets nothing that is meant for whoever has the address. */
class UnconfirmedAddressError extends AppError<'address_unconfirmed'> {
  override readonly name = 'UnconfirmedAddressError';

  constructor(email: string) {
    super(
      'address_unconfirmed',
      `The address of this account has not been confirmed by an operator: swarmgate users link ${email}`,
    );
  }
}

/** Whoever has an account by this address or id, if anybody, has to have it confirmed. @throws {UnconfirmedAddressError} */
export async function requireConfirmed(unit: Unit, by: { email: string } | { id: Uuid }): Promise<void> {
  const [unconfirmed] = await unit.sql<{ email: string }>(
    `SELECT email FROM identity.users WHERE ${'email' in by ? 'email' : 'id'} = $1 AND email_verified_at IS NULL`,
    ['email' in by ? by.email : by.id],
  );
  if (unconfirmed) throw new UnconfirmedAddressError(unconfirmed.email);
}

/**
 * An operator stands behind the address: whoever is here has come by a link of theirs. If nobody had before, whatever was
 * signed in with until now may be somebody else's, and is taken away: password, second factors, sessions. Answers whether
 * it was so.
 */
export async function confirmAddress(unit: Unit, userId: Uuid): Promise<boolean> {
  const confirmed = await unit.sql(
    `UPDATE identity.users SET email_verified_at = now(), version = version + 1, updated_at = now()
       WHERE id = $1 AND email_verified_at IS NULL RETURNING 1 AS confirmed`,
    [userId],
  );
  if (confirmed.length === 0) return false;
  // In this order: a sign-in that is under way holds its row of the first three, and has its session once that is free.
  await unit.sql('DELETE FROM identity.passwords WHERE user_id = $1', [userId]);
  await unit.sql(
    'UPDATE identity.sign_in_challenges SET used_at = now() WHERE user_id = $1 AND used_at IS NULL',
    [userId],
  );
  await resetSecondFactor(unit, userId);
  return true;
}
