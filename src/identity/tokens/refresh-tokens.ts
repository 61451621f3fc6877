import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { Grants } from '../grants.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';
import { sessionIdleMs } from '../sessions/session-limits.ts';
import { type FoundSession, holdSession } from '../sessions/web-session.ts';
import type { AccessTokens } from './access-tokens.ts';

export type TokenParts = IdentityParts & { accessTokens: AccessTokens; grants: Grants };

/** What tokens are limited to. */
export type TokenLimits = { tenantId?: Uuid; scope?: readonly Permission[] };

export type IssuedTokens = { accessToken: string; expiresAt: Date; refreshToken: string };

export type TokensOutcome =
  | ({ outcome: 'issued' } & IssuedTokens)
  /** The tenant is none of theirs; or the refresh token is none, was used, or has ended with its family or session. */
  | { outcome: 'refused' };

type Family = { id: Uuid; sessionId: Uuid; userId: Uuid } & TokenLimits;

/**
 * Gives a program tokens to act with for whoever's session this is. They end when the session does, and when a factor is
 * shown in it.
 */
export async function issueTokens(
  parts: TokenParts,
  session: FoundSession,
  limits: TokenLimits,
  client: Client,
): Promise<TokensOutcome> {
  const family: Family = { id: newId(), sessionId: session.id, userId: session.userId, ...limits };
  const access = await issueAccess(parts, family);
  if (!access) return { outcome: 'refused' };
  const event = await parts.audit.prepare(installationTrail, {
    actor: { kind: 'user', id: session.userId },
    action: 'tokens.issued',
    resource: { kind: 'sessions', id: toWire('session', session.id) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  const refreshToken = await parts.scopes.inIdentity(async (unit) => {
    if (!(await holdSession(unit, session))) return undefined;
    await unit.sql(
      'INSERT INTO identity.refresh_families (id, session_id, for_tenant, scope) VALUES ($1, $2, $3, $4)',
      [family.id, family.sessionId, limits.tenantId ?? null, limits.scope ? [...limits.scope] : null],
    );
    await parts.audit.append(unit, installationTrail, event);
    return addToken(unit, family.id);
  });
  return refreshToken === undefined ? { outcome: 'refused' } : { outcome: 'issued', ...access, refreshToken };
}

/**
 * Exchanges a refresh token for the next one. Each is good once: that a used one comes again means that two have it, and
 * nobody can say which is the thief. So the family ends, with all that came from it.
 */
export async function refreshTokens(
  parts: TokenParts,
  refreshToken: string,
  client: Client,
): Promise<TokensOutcome> {
  const hash = hashOfSecret('refresh', refreshToken);
  const used = hash
    ? await parts.scopes.inIdentity((unit) => useToken(unit, hash))
    : { outcome: 'unknown' as const };
  if (used.outcome === 'next') {
    const access = await issueAccess(parts, used.family);
    return access ? { outcome: 'issued', ...access, refreshToken: used.token } : { outcome: 'refused' };
  }
  if (used.outcome === 'reused') parts.onSecurityEvent('refresh_reuse');
  await parts.audit.note(installationTrail, {
    actor: { kind: 'nobody' },
    action: used.outcome === 'reused' ? 'refresh_token.reused' : 'refresh_token.refused',
    resource:
      used.outcome === 'unknown'
        ? { kind: 'sessions' }
        : { kind: 'sessions', id: toWire('session', used.sessionId) },
    outcome: 'refused',
    reason:
      used.outcome === 'reused'
        ? 'It had been used: its family was ended.'
        : 'It is none, or its family or session has ended.',
    ...tracesOf(client),
  });
  return { outcome: 'refused' };
}

/** Ends a family by any of its tokens, as a program does that signs out (RFC 7009). What is none, is ended already. */
export async function revokeTokens({ scopes }: IdentityParts, refreshToken: string): Promise<void> {
  const hash = hashOfSecret('refresh', refreshToken);
  if (!hash) return;
  await scopes.inIdentity((unit) =>
    unit.sql(
      `UPDATE identity.refresh_families SET ended_at = now(), end_reason = 'revoked'
         WHERE id = (SELECT family_id FROM identity.refresh_tokens WHERE token_hash = $1) AND ended_at IS NULL`,
      [hash],
    ),
  );
}

type UsedToken =
  | { outcome: 'next'; token: string; family: Family }
  | { outcome: 'reused' | 'ended'; sessionId: Uuid }
  | { outcome: 'unknown' };

async function useToken(unit: Unit, hash: Buffer): Promise<UsedToken> {
  type Row = {
    id: Uuid;
    session_id: Uuid;
    for_tenant: Uuid | null;
    scope: Permission[] | null;
    has_ended: boolean;
  };
  // The session before its family, as whoever shows a factor locks them: neither waits for the other.
  await unit.sql(
    `SELECT 1 FROM identity.web_sessions WHERE id = (SELECT f.session_id FROM identity.refresh_families f
       JOIN identity.refresh_tokens t ON t.family_id = f.id WHERE t.token_hash = $1) FOR NO KEY UPDATE`,
    [hash],
  );
  // Under the family's lock: of two uses at once the other one comes after, and finds the token used.
  const [family] = await unit.sql<Row>(
    `SELECT id, session_id, for_tenant, scope, ended_at IS NOT NULL AS has_ended FROM identity.refresh_families
       WHERE id = (SELECT family_id FROM identity.refresh_tokens WHERE token_hash = $1) FOR UPDATE`,
    [hash],
  );
  if (!family) return { outcome: 'unknown' };
  const ended = { outcome: 'ended', sessionId: family.session_id } as const;
  if (family.has_ended) return ended;
  const [taken] = await unit.sql(
    'UPDATE identity.refresh_tokens SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL RETURNING 1 AS taken',
    [hash],
  );
  if (!taken) {
    await unit.sql(
      `UPDATE identity.refresh_families SET ended_at = now(), end_reason = 'reuse' WHERE id = $1`,
      [family.id],
    );
    return { outcome: 'reused', sessionId: family.session_id };
  }
  const [session] = await unit.sql<{ found: FoundSession | null }>(
    'SELECT identity.describe_session($1) AS found',
    [family.session_id],
  );
  if (!session?.found) return ended;
  // A program that goes on is what keeps its session in use.
  await unit.sql(
    `UPDATE identity.web_sessions SET last_seen_at = now(), idle_expires_at = now() + $2 * interval '1 millisecond'
       WHERE id = $1`,
    [family.session_id, sessionIdleMs],
  );
  return {
    outcome: 'next',
    token: await addToken(unit, family.id),
    family: {
      id: family.id,
      sessionId: family.session_id,
      userId: session.found.userId,
      ...(family.for_tenant !== null && { tenantId: family.for_tenant }),
      ...(family.scope !== null && { scope: family.scope }),
    },
  };
}

async function addToken(unit: Unit, familyId: Uuid): Promise<string> {
  const { token, hash } = newSecret('refresh');
  await unit.sql('INSERT INTO identity.refresh_tokens (token_hash, family_id) VALUES ($1, $2)', [
    hash,
    familyId,
  ]);
  return token;
}

async function issueAccess(
  { grants, accessTokens }: TokenParts,
  { id, sessionId, userId, tenantId, scope }: Family,
): Promise<{ accessToken: string; expiresAt: Date } | undefined> {
  const grant = tenantId === undefined ? undefined : await grants.grantOf(userId, tenantId);
  if (tenantId !== undefined && !grant) return undefined;
  const { token, expiresAt } = await accessTokens.issue({
    userId,
    sessionId,
    familyId: id,
    roles: grant?.roles.map(({ name }) => name) ?? [],
    ...(tenantId !== undefined && { tenantId }),
    ...(grant && { organizationId: grant.organizationId }),
    ...(scope && { scope }),
  });
  return { accessToken: token, expiresAt };
}
