import { newId, type Uuid } from '#domain/ids.ts';
import type { KeyRing, SealPlace } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Client } from '../client.ts';
import { newSecret } from '../secret-token.ts';
import { freshnessMs, sessionIdleMs, sessionLifetimeMs } from './session-limits.ts';

/**
 * How a factor was shown (RFC 8176); `link`: by a link that an operator had made, `passkey`: both factors in one, `sso`: to
 * the provider of an organization, `mfa`: there with a second one.
 */
export type AuthenticationMethod = 'pwd' | 'link' | 'sso' | 'otp' | 'recovery' | 'passkey' | 'mfa';

/** What only its owner gets: the token is nowhere else. */
export type NewSession = { id: Uuid; userId: Uuid; token: string; expiresAt: Date };

/** A session that is good, as it was found a moment ago. */
export type FoundSession = {
  id: Uuid;
  userId: Uuid;
  isOperator: boolean;
  /** By whose provider it came: it is good in that organization only. */
  organizationId: Uuid | null;
  amr: AuthenticationMethod[];
  authenticatedAtMs: number;
  /** When a second factor was last shown in it. */
  mfaAtMs: number | null;
  expiresAtMs: number;
};

/** Begins a session: always a new one, whatever token the browser had before. */
export async function openSession(
  unit: Unit,
  keyRing: KeyRing,
  {
    userId,
    amr,
    hasSecondFactor,
    connectionId,
    client,
  }: {
    userId: Uuid;
    amr: readonly AuthenticationMethod[];
    hasSecondFactor: boolean;
    /** The connection of an organization that it comes by, and ends with. */
    connectionId?: Uuid | undefined;
    client: Client;
  },
): Promise<NewSession> {
  const id = newId();
  const { token, hash } = newSecret('session');
  const seen = JSON.stringify({ address: client.address, userAgent: client.userAgent?.slice(0, 300) });
  const [row] = await unit.sql<{ expires_at: Date }>(
    `INSERT INTO identity.web_sessions (id, user_id, token_hash, idle_expires_at, expires_at, mfa_at, amr, sealed_client,
         connection_id)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond', now() + $5 * interval '1 millisecond',
         CASE WHEN $6 THEN now() END, $7, $8, $9) RETURNING expires_at`,
    [
      id,
      userId,
      hash,
      sessionIdleMs,
      sessionLifetimeMs,
      hasSecondFactor,
      [...amr],
      keyRing.seal(seen, clientPlace(id)),
      connectionId ?? null,
    ],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return { id, userId, token, expiresAt: row.expires_at };
}

/**
 * A session gets more rights than it had by what was shown in it, and another token with them: whoever had got hold of the
 * old one does not get the rights. What programs had from it ends for the same reason. `undefined`: it has ended.
 */
export async function rotateSession(
  unit: Unit,
  sessionId: Uuid,
  shown?: AuthenticationMethod,
): Promise<NewSession | undefined> {
  const { token, hash } = newSecret('session');
  const isFirst = shown === 'pwd' || shown === 'link' || shown === 'passkey';
  const isSecond = shown === 'otp' || shown === 'recovery' || shown === 'passkey';
  const [row] = await unit.sql<{ user_id: Uuid; expires_at: Date }>(
    `UPDATE identity.web_sessions SET token_hash = $2, last_seen_at = now(),
         mfa_at = CASE WHEN $3 THEN now() ELSE mfa_at END,
         authenticated_at = CASE WHEN $4 THEN now() ELSE authenticated_at END,
         amr = CASE WHEN $5::text IS NULL OR $5 = ANY (amr) THEN amr ELSE amr || $5 END
       WHERE id = $1 AND revoked_at IS NULL AND expires_at > now() RETURNING user_id, expires_at`,
    [sessionId, hash, isSecond, isFirst, shown ?? null],
  );
  if (!row) return undefined;
  await unit.sql(
    `UPDATE identity.refresh_families SET ended_at = now(), end_reason = 'revoked'
       WHERE session_id = $1 AND ended_at IS NULL`,
    [sessionId],
  );
  return { id: sessionId, userId: row.user_id, token, expiresAt: row.expires_at };
}

/**
 * Holds a session, until the unit ends, as it was found: nobody shows a factor in it meanwhile. `false`: it has ended, or a
 * factor was shown since, and whoever found it before that may not have been the one who showed it.
 */
export async function holdSession(unit: Unit, session: FoundSession): Promise<boolean> {
  const held = await unit.sql(
    `SELECT 1 FROM identity.web_sessions WHERE id = $1 AND revoked_at IS NULL
       AND round(extract(epoch FROM authenticated_at) * 1000) = $2
       AND round(extract(epoch FROM mfa_at) * 1000) IS NOT DISTINCT FROM $3 FOR SHARE`,
    [session.id, session.authenticatedAtMs, session.mfaAtMs],
  );
  return held.length > 0;
}

/** Whether a factor was shown so lately that what is dear may be done without showing it again. */
export function isFresh(session: FoundSession, factor: 'first' | 'second', nowMs: number): boolean {
  const shownAtMs = factor === 'first' ? session.authenticatedAtMs : session.mfaAtMs;
  return shownAtMs !== null && nowMs - shownAtMs < freshnessMs;
}

export function clientPlace(sessionId: Uuid): SealPlace {
  return { tenantId: sessionId, table: 'web_sessions', column: 'client' };
}
