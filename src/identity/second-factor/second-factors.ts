import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { endSessions } from '../sessions/own-sessions.ts';
import { type FoundSession, isFresh } from '../sessions/web-session.ts';

/** Whether a person has an authenticator app, in a query over `identity.users u`. It counts once a code of it was shown. */
export const hasAppSql = `EXISTS (SELECT FROM identity.totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)`;
/** And how many passkeys. */
export const passkeyCountSql = `(SELECT count(*)::int FROM identity.passkeys k WHERE k.user_id = u.id)`;

/** What somebody has to show as a second factor. */
export type SecondFactors = { hasApp: boolean; passkeyCount: number };

export function hasSecondFactor({ hasApp, passkeyCount }: SecondFactors): boolean {
  return hasApp || passkeyCount > 0;
}

/**
 * Reads what somebody has, and keeps others from changing it until the unit ends. It is the first lock that is taken
 * wherever one is added or taken away.
 */
export async function lockSecondFactors(unit: Unit, userId: Uuid): Promise<SecondFactors> {
  await unit.sql('SELECT 1 FROM identity.users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
  return readSecondFactors(unit, userId);
}

export async function readSecondFactors(unit: Unit, userId: Uuid): Promise<SecondFactors> {
  const [found] = await unit.sql<SecondFactors>(
    `SELECT ${hasAppSql} AS "hasApp", ${passkeyCountSql} AS "passkeyCount" FROM identity.users u WHERE u.id = $1`,
    [userId],
  );
  return found ?? { hasApp: false, passkeyCount: 0 };
}

/**
 * Whether somebody may add a factor: whoever finds a browser open, or has a password alone, must not add one of their own.
 */
export function mayAddFactor(session: FoundSession, has: SecondFactors, nowMs: number): boolean {
  return isFresh(session, hasSecondFactor(has) ? 'second' : 'first', nowMs);
}

/**
 * After one was taken away: what was shown before is worth nothing any more, but in the session that did it as long as there is
 * another one. With the last one the recovery codes go.
 */
export async function settleRemoval(unit: Unit, userId: Uuid, ownSession: Uuid): Promise<void> {
  const remains = hasSecondFactor(await readSecondFactors(unit, userId));
  if (!remains) await unit.sql('DELETE FROM identity.recovery_codes WHERE user_id = $1', [userId]);
  await unit.sql(
    'UPDATE identity.web_sessions SET mfa_at = NULL WHERE user_id = $1 AND ($2::uuid IS NULL OR id <> $2)',
    [userId, remains ? ownSession : null],
  );
}

/** The second factors of somebody who has lost them, taken away by an operator; their sessions end with it. */
export async function resetSecondFactor(unit: Unit, userId: Uuid): Promise<void> {
  await lockSecondFactors(unit, userId);
  await unit.sql('DELETE FROM identity.totp WHERE user_id = $1', [userId]);
  await unit.sql('DELETE FROM identity.recovery_codes WHERE user_id = $1', [userId]);
  await unit.sql('DELETE FROM identity.passkeys WHERE user_id = $1', [userId]);
  await endSessions(unit, userId, {});
}
