import { installationTrail } from '#audit/audit-trail.ts';
import { toWire } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import { type IdentityParts, isSecondFactorAsked } from '../identity-parts.ts';
import { hasSecondFactor } from '../second-factor/second-factors.ts';
import { type AuthenticationMethod, type NewSession, openSession } from '../sessions/web-session.ts';
import { type Account, readAccount } from './account.ts';
import { addChallenge, challengeLifetimeMs } from './sign-in-challenge.ts';

export type SignInOutcome =
  | {
      outcome: 'signed_in';
      session: NewSession;
      /** They run something and have no second factor: until they add one they may not do what they otherwise might. */
      mustAddSecondFactor: boolean;
    }
  /** The second factor is asked for: `finishSignIn` with this token, once, within its time. */
  | { outcome: 'second_factor'; challenge: string; expiresInMs: number; methods: SecondMethod[] }
  /** Whether the address is nobody's, the password another one, or the account disabled: all the same. */
  | { outcome: 'refused' }
  | { outcome: 'blocked'; retryAfterMs: number };

/** What the second factor can be shown by. */
export type SecondMethod = 'otp' | 'passkey' | 'recovery';

/**
 * What follows a first factor, whichever it was: the second one where there is one, else a session. Every way to sign in
 * goes through here, so that none goes past the second factor. (A passkey is both.) `withinUnit` is done in the same
 * transaction, and says whether to go on.
 */
export async function completeFirstFactor(
  { scopes, keyRing, audit, secondFactorOf, relyingParty }: IdentityParts,
  account: Account,
  { amr, client }: { amr: AuthenticationMethod; client: Client },
  withinUnit: (unit: Unit) => Promise<boolean> = async () => true,
): Promise<SignInOutcome> {
  const told = async (action: string) =>
    audit.prepare(installationTrail, {
      actor: { kind: 'user', id: account.id },
      action,
      resource: { kind: 'users', id: toWire('user', account.id) },
      outcome: 'allowed',
      detail: { by: amr },
      ...tracesOf(client),
    });
  const [halfway, done] = [await told('sign_in.first_factor'), await told('sign_in.done')];

  return scopes.inIdentity(async (unit): Promise<SignInOutcome> => {
    if (!(await withinUnit(unit))) return { outcome: 'refused' };
    // Read here, and not before the password was hashed: meanwhile they may have been disabled, or have added a factor.
    const now = await readAccount(unit, account);
    if (!now?.isActive) return { outcome: 'refused' };
    const isBoth = amr === 'passkey';
    if (hasSecondFactor(now.secondFactors) && !isBoth) {
      const challenge = await addChallenge(unit, { userId: now.id, amr: [amr] });
      await audit.append(unit, installationTrail, halfway);
      const { hasApp, passkeyCount } = now.secondFactors;
      const methods: SecondMethod[] = [
        ...(hasApp ? ['otp' as const] : []),
        ...(passkeyCount > 0 && relyingParty ? ['passkey' as const] : []),
        'recovery',
      ];
      return { outcome: 'second_factor', challenge, expiresInMs: challengeLifetimeMs, methods };
    }
    const session = await openSession(unit, keyRing, {
      userId: now.id,
      amr: [amr],
      hasSecondFactor: isBoth,
      client,
    });
    await audit.append(unit, installationTrail, done);
    return {
      outcome: 'signed_in',
      session,
      mustAddSecondFactor: isSecondFactorAsked(secondFactorOf, client) && now.runsSomething && !isBoth,
    };
  });
}
