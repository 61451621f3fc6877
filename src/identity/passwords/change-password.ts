import { installationTrail } from '#audit/audit-trail.ts';
import { toWire } from '#domain/ids.ts';
import { passwordCounters } from '../attempts.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { hasSecondFactor } from '../second-factor/second-factors.ts';
import { type FoundSession, isFresh, type NewSession, rotateSession } from '../sessions/web-session.ts';
import { readAccount } from '../sign-in/account.ts';
import { noteOwnRefusal } from '../sign-in/note-refusal.ts';
import { checkPassword, hashPassword } from './hash-password.ts';
import { judgePassword, type PasswordFault } from './judge-password.ts';
import { keepPassword } from './keep-password.ts';

export type ChangePasswordOutcome =
  /** The session has a new token; the others have ended. */
  | { outcome: 'changed'; session: NewSession }
  | { outcome: 'not_good_enough'; fault: PasswordFault }
  /** Not their password. */
  | { outcome: 'refused' }
  /** They have a second factor, and have to show it first (`stepUp`). */
  | { outcome: 'not_fresh' }
  | { outcome: 'blocked'; retryAfterMs: number };

/** Changes one's own password, which takes the old one. */
export async function changePassword(
  parts: IdentityParts,
  session: FoundSession,
  { current, next }: { current: string; next: string },
  client: Client,
): Promise<ChangePasswordOutcome> {
  const { scopes, audit, attempts } = parts;
  const account = await scopes.inIdentity((unit) => readAccount(unit, { id: session.userId }));
  if (!account?.isActive) return { outcome: 'refused' };
  if (hasSecondFactor(account.secondFactors) && !isFresh(session, 'second', parts.nowMs()))
    return { outcome: 'not_fresh' };
  const fault = judgePassword(next, account);
  if (fault) return { outcome: 'not_good_enough', fault };

  const counters = passwordCounters(account.email, client.address);
  const retryAfterMs = await attempts.take(counters);
  if (retryAfterMs > 0) {
    parts.onSecurityEvent('lockout');
    await noteOwnRefusal(parts, client, 'password.blocked', 'Too many attempts had failed.', account.id);
    return { outcome: 'blocked', retryAfterMs };
  }
  if (!(await checkPassword(account.passwordHash, current)).matches) {
    await noteOwnRefusal(parts, client, 'password.refused', 'Wrong password.', account.id);
    return { outcome: 'refused' };
  }
  await attempts.giveBack(counters);

  const hash = await hashPassword(next);
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: account.id },
    action: 'password.set',
    resource: { kind: 'users', id: toWire('user', account.id) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  return scopes.inIdentity(async (unit) => {
    const rotated = await rotateSession(unit, session.id, 'pwd');
    if (!rotated) return { outcome: 'refused' };
    await keepPassword(unit, account.id, hash, session.id);
    await audit.append(unit, installationTrail, event);
    return { outcome: 'changed', session: rotated };
  });
}
