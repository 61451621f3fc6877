import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
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
      /**
       * They run something, or an organization asks everybody for it, and have no second factor: until they add one they may
       * not do what they otherwise might.
       */
      mustAddSecondFactor: boolean;
    }
  /** The second factor is asked for: `finishSignIn` with this token, once, within its time. */
  | { outcome: 'second_factor'; challenge: string; expiresInMs: number; methods: SecondMethod[] }
  /** What was shown is right; and whoever has it signs in by their organization's single sign-on. */
  | { outcome: 'single_sign_on' }
  /** Whether the address is nobody's, the password another one, or the account disabled: all the same. */
  | { outcome: 'refused' }
  | { outcome: 'blocked'; retryAfterMs: number };

/** What the second factor can be shown by. */
export type SecondMethod = 'otp' | 'passkey' | 'recovery';

/** What came before, where the first factor was shown to an organization's provider. */
type SignOn = {
  connectionId: Uuid;
  /** A second factor was shown there too, and the connection says that it counts. */
  hasSecondFactor: boolean;
};

/**
 * What follows a first factor, whichever it was: the second one where there is one, else a session. Every way to sign in
 * goes through here, so that none goes past the second factor. (A passkey is both.) `withinUnit` is done in the same
 * transaction, and says whether to go on.
 */
export async function completeFirstFactor(
  { scopes, keyRing, audit, secondFactorOf, relyingParty }: IdentityParts,
  account: Account,
  { amr, client, signOn }: { amr: AuthenticationMethod; client: Client; signOn?: SignOn },
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
  const refused = await audit.prepare(installationTrail, {
    ...{ actor: { kind: 'nobody' }, action: 'sign_in.refused', outcome: 'refused' },
    resource: { kind: 'users', id: toWire('user', account.id) },
    reason: 'Their organization takes no passwords.',
    ...tracesOf(client),
  });

  return scopes.inIdentity(async (unit): Promise<SignInOutcome> => {
    if (!(await withinUnit(unit))) return { outcome: 'refused' };
    // Read here, and not before the password was hashed: meanwhile they may have been disabled, or have added a factor.
    const now = await readAccount(unit, account);
    if (!now?.isActive) return { outcome: 'refused' };
    // A password, and a passkey too, is the account's own: an organization that takes none means both.
    if ((amr === 'pwd' || amr === 'passkey') && now.mustSignOnElsewhere) {
      await audit.append(unit, installationTrail, refused);
      return { outcome: 'single_sign_on' };
    }
    const { connectionId } = signOn ?? {};
    const hasShownBoth = amr === 'passkey' || (signOn?.hasSecondFactor ?? false);
    if (hasSecondFactor(now.secondFactors) && !hasShownBoth) {
      const challenge = await addChallenge(unit, { userId: now.id, amr: [amr], connectionId });
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
      amr: signOn?.hasSecondFactor ? [amr, 'mfa'] : [amr],
      hasSecondFactor: hasShownBoth,
      ...{ connectionId, client },
    });
    await audit.append(unit, installationTrail, done);
    return {
      outcome: 'signed_in',
      session,
      mustAddSecondFactor:
        !hasShownBoth &&
        (now.isAskedForSecondFactor || (isSecondFactorAsked(secondFactorOf, client) && now.runsSomething)),
    };
  });
}
