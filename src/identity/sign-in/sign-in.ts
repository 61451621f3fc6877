import { passwordCounters } from '../attempts.ts';
import type { Client } from '../client.ts';
import { normaliseEmail } from '../email-address.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { checkPassword, hashPassword } from '../passwords/hash-password.ts';
import { readAccount } from './account.ts';
import { completeFirstFactor, type SignInOutcome } from './complete-first-factor.ts';
import { noteRefusal } from './note-refusal.ts';

/**
 * Signs in with a password. What it answers, and how long it takes, does not tell whether an address is anybody's: a hash
 * is looked at in any case, and attempts at what is nobody's are counted and blocked just the same.
 */
export async function signIn(
  parts: IdentityParts,
  { email: typed, password }: { email: string; password: string },
  client: Client,
): Promise<SignInOutcome> {
  const { scopes, attempts } = parts;
  const email = normaliseEmail(typed);
  const counters = passwordCounters(email ?? 'no address', client.address);
  const retryAfterMs = await attempts.take(counters);
  if (retryAfterMs > 0) {
    parts.onSecurityEvent('lockout');
    await noteRefusal(parts, client, 'sign_in.blocked', 'Too many attempts had failed.');
    return { outcome: 'blocked', retryAfterMs };
  }

  const account =
    email === undefined ? undefined : await scopes.inIdentity((unit) => readAccount(unit, { email }));
  const { matches, isOutdated } = await checkPassword(account?.passwordHash, password);
  if (!account || !matches || !account.isActive) {
    const reason = !account
      ? 'Nobody has that address.'
      : !matches
        ? 'Wrong password.'
        : 'The account is disabled.';
    await noteRefusal(parts, client, 'sign_in.refused', reason, account?.id);
    return { outcome: 'refused' };
  }
  await attempts.giveBack(counters);
  // A hash of other parameters than today's is made anew while the password is at hand.
  const newHash = isOutdated ? await hashPassword(password) : account.passwordHash;
  return completeFirstFactor(parts, account, { amr: 'pwd', client }, async (unit) => {
    const kept = await unit.sql(
      'UPDATE identity.passwords SET hash = $3 WHERE user_id = $1 AND hash = $2 RETURNING 1 AS kept',
      [account.id, account.passwordHash, newHash],
    );
    // None: it was changed while it was looked at, and is not theirs any more.
    return kept.length > 0;
  });
}
