import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from '#tenancy/scopes.ts';
import { tellWebhooks } from '#webhooks/tell-webhooks.ts';
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
  if (!(await isWithinSession(parts, session, limits))) return { outcome: 'refused' };
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

// A session that came by an organization's provider is good in that organization only, and so are its tokens.
async function isWithinSession(
  { grants }: TokenParts,
  { userId, organizationId }: FoundSession,
  { tenantId }: TokenLimits,
): Promise<boolean> {
  if (organizationId === null || tenantId === undefined) return true;
  return (await grants.grantOf(userId, tenantId))?.organizationId === organizationId;
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
  const family = hash && (await parts.scopes.inIdentity((unit) => findFamily(unit, hash)));
  if (!family) {
    await noteRefused(parts, client, 'refresh_token.refused', 'There is no such token.');
    return { outcome: 'refused' };
  }
  const access = await issueAccess(parts, family);
  const event = await parts.audit.prepare(installationTrail, {
    ...{ actor: { kind: 'user', id: family.userId }, action: 'tokens.refreshed', outcome: 'allowed' },
    resource: { kind: 'sessions', id: toWire('session', family.sessionId) },
    ...tracesOf(client),
  });
  const used = await parts.scopes.inIdentity(async (unit) => {
    const taken = await useToken(unit, hash, family);
    if (taken.outcome === 'next' && access) await parts.audit.append(unit, installationTrail, event);
    return taken;
  });
  if (used.outcome === 'next' && access) return { outcome: 'issued', ...access, refreshToken: used.token };
  if (used.outcome === 'reused') parts.onSecurityEvent('refresh_reuse');
  const { action, reason } = refusals[used.outcome];
  await noteRefused(parts, client, action, reason, family.sessionId);
  return { outcome: 'refused' };
}

const refusals = {
  next: { action: 'refresh_token.refused', reason: 'They have no access to its tenant any more.' },
  reused: { action: 'refresh_token.reused', reason: 'It had been used: its family was ended.' },
  ended: { action: 'refresh_token.refused', reason: 'Its family or session has ended.' },
};

// Whoever comes with a token that is not good is not taken for the person whose it was.
async function noteRefused(
  { audit }: TokenParts,
  client: Client,
  action: string,
  reason: string,
  sessionId?: Uuid,
): Promise<void> {
  await audit.note(installationTrail, {
    ...{ actor: { kind: 'nobody' }, action, outcome: 'refused', reason },
    resource: { kind: 'sessions', ...(sessionId !== undefined && { id: toWire('session', sessionId) }) },
    ...tracesOf(client),
  });
}

/** Ends a family by any of its tokens, as a program does that signs out (RFC 7009). What is none, is ended already. */
export async function revokeTokens(
  { scopes, audit }: IdentityParts,
  refreshToken: string,
  client: Client,
): Promise<void> {
  const hash = hashOfSecret('refresh', refreshToken);
  const family = hash && (await scopes.inIdentity((unit) => findFamily(unit, hash)));
  if (!family) return;
  const event = await audit.prepare(installationTrail, {
    ...{ actor: { kind: 'user', id: family.userId }, action: 'tokens.revoked', outcome: 'allowed' },
    resource: { kind: 'sessions', id: toWire('session', family.sessionId) },
    ...tracesOf(client),
  });
  await scopes.inIdentity(async (unit) => {
    const ended = await unit.sql(
      `UPDATE identity.refresh_families SET ended_at = now(), end_reason = 'revoked'
         WHERE id = $1 AND ended_at IS NULL RETURNING 1 AS ended`,
      [family.id],
    );
    if (ended.length > 0) await audit.append(unit, installationTrail, event);
  });
}

async function findFamily(unit: Unit, hash: Buffer): Promise<Family | undefined> {
  type Row = {
    id: Uuid;
    session_id: Uuid;
    user_id: Uuid;
    for_tenant: Uuid | null;
    scope: Permission[] | null;
  };
  const [row] = await unit.sql<Row>(
    `SELECT f.id, f.session_id, s.user_id, f.for_tenant, f.scope FROM identity.refresh_tokens t
       JOIN identity.refresh_families f ON f.id = t.family_id JOIN identity.web_sessions s ON s.id = f.session_id
       WHERE t.token_hash = $1`,
    [hash],
  );
  return (
    row && {
      ...{ id: row.id, sessionId: row.session_id, userId: row.user_id },
      ...(row.for_tenant !== null && { tenantId: row.for_tenant }),
      ...(row.scope !== null && { scope: row.scope }),
    }
  );
}

type UsedToken = { outcome: 'next'; token: string } | { outcome: 'reused' | 'ended' };

async function useToken(unit: PlatformUnit, hash: Buffer, family: Family): Promise<UsedToken> {
  const { id, sessionId, userId, tenantId } = family;
  // The session before its family, as whoever shows a factor locks them: neither waits for the other.
  await unit.sql('SELECT 1 FROM identity.web_sessions WHERE id = $1 FOR NO KEY UPDATE', [sessionId]);
  // Under the family's lock: of two uses at once the other one comes after, and finds the token used.
  const [open] = await unit.sql(
    'SELECT 1 FROM identity.refresh_families WHERE id = $1 AND ended_at IS NULL FOR UPDATE',
    [id],
  );
  if (!open) return { outcome: 'ended' };
  const [taken] = await unit.sql(
    'UPDATE identity.refresh_tokens SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL RETURNING 1 AS taken',
    [hash],
  );
  if (!taken) {
    await unit.sql(
      `UPDATE identity.refresh_families SET ended_at = now(), end_reason = 'reuse' WHERE id = $1`,
      [id],
    );
    if (tenantId !== undefined) {
      await unit.becomeTenant(tenantId);
      const data = { userId: toWire('user', userId) };
      await tellWebhooks(unit, tenantId, { type: 'security.refresh_token_reused', data });
    }
    return { outcome: 'reused' };
  }
  const [session] = await unit.sql<{ found: FoundSession | null }>(
    'SELECT identity.describe_session($1) AS found',
    [sessionId],
  );
  if (!session?.found) return { outcome: 'ended' };
  // A program that goes on is what keeps its session in use.
  await unit.sql(
    `UPDATE identity.web_sessions SET last_seen_at = now(), idle_expires_at = now() + $2 * interval '1 millisecond'
       WHERE id = $1`,
    [sessionId, sessionIdleMs],
  );
  return { outcome: 'next', token: await addToken(unit, id) };
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
