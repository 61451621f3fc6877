import { type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import { type AuthenticationMethod, clientPlace } from './web-session.ts';

/** A session as its owner sees it. */
export type ShownSession = {
  id: Uuid;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  amr: AuthenticationMethod[];
  address?: string;
  userAgent?: string;
};

/** The sessions of one person that are good, the latest first; with `within`, those that came by one organization's provider. */
export async function listSessions(
  { scopes, keyRing }: { scopes: Scopes; keyRing: KeyRing },
  userId: Uuid,
  within: Uuid | null = null,
): Promise<ShownSession[]> {
  type Row = {
    id: Uuid;
    created_at: Date;
    last_seen_at: Date;
    ends_at: Date;
    amr: AuthenticationMethod[];
    sealed_client: string | null;
  };
  const rows = await scopes.inIdentity((unit) =>
    unit.sql<Row>(
      `SELECT id, created_at, last_seen_at, least(idle_expires_at, expires_at) AS ends_at, amr, sealed_client
         FROM identity.web_sessions
         WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() AND idle_expires_at > now() AND ${isWithin('$2')}
         ORDER BY id DESC`,
      [userId, within],
    ),
  );
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.ends_at,
    amr: row.amr,
    ...(row.sealed_client !== null &&
      (JSON.parse(keyRing.open(row.sealed_client, clientPlace(row.id))) as Client)),
  }));
}

/**
 * Ends sessions of one person's own: the one that is named, or all, or all but one. Whatever tokens came from them end
 * with them. Answers how many it ended; another's session is none.
 */
export async function revokeSessions(
  { scopes, audit }: { scopes: Scopes; audit: AuditTrail },
  userId: Uuid,
  which: { only: Uuid } | { except?: Uuid },
  client: Client,
  within: Uuid | null = null,
): Promise<number> {
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: userId },
    action: 'session.revoked',
    resource: { kind: 'sessions', ...('only' in which && { id: toWire('session', which.only) }) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  return scopes.inIdentity(async (unit) => {
    const count = await endSessions(unit, userId, which, within);
    if (count > 0) await audit.append(unit, installationTrail, { ...event, detail: { count } });
    return count;
  });
}

/** The same within a unit that ends them for a reason of its own, which it tells of itself. */
export async function endSessions(
  unit: Unit,
  userId: Uuid,
  which: { only: Uuid } | { except?: Uuid },
  within: Uuid | null = null,
): Promise<number> {
  const [only, except] = 'only' in which ? [which.only, null] : [null, which.except ?? null];
  const ended = await unit.sql(
    `UPDATE identity.web_sessions SET revoked_at = now()
       WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id = $2) AND ($3::uuid IS NULL OR id <> $3)
       AND ${isWithin('$4')} RETURNING id`,
    [userId, only, except, within],
  );
  return ended.length;
}

// Whoever came by an organization's provider may have come by its say alone: other sessions are none of theirs.
function isWithin(organization: string): string {
  return `(${organization}::uuid IS NULL
     OR connection_id IN (SELECT c.id FROM identity.sign_on_connections c WHERE c.organization_id = ${organization}))`;
}
