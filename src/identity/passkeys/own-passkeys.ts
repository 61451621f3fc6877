import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { lockSecondFactors, settleRemoval } from '../second-factor/second-factors.ts';
import { endSessions } from '../sessions/own-sessions.ts';
import { type FoundSession, isFresh, type NewSession, rotateSession } from '../sessions/web-session.ts';
import { noteOwnRefusal } from '../sign-in/note-refusal.ts';

/** A passkey as its owner sees it. */
export type OwnPasskey = {
  id: Uuid;
  name: string;
  createdAt: Date;
  lastUsedAt: Date | undefined;
  /** It is on more than one device, or in an account that brings it to new ones. */
  isBackedUp: boolean;
  transports: string[];
};

type Row = {
  id: Uuid;
  name: string;
  created_at: Date;
  last_used_at: Date | null;
  is_backed_up: boolean;
  transports: string[];
};

const columns = 'id, name, created_at, last_used_at, is_backed_up, transports';

/** The passkeys of one person, the oldest first. */
export async function listPasskeys({ scopes }: IdentityParts, userId: Uuid): Promise<OwnPasskey[]> {
  const rows = await scopes.inIdentity((unit) =>
    unit.sql<Row>(`SELECT ${columns} FROM identity.passkeys WHERE user_id = $1 ORDER BY id`, [userId]),
  );
  return rows.map(shown);
}

/** One of them; another's is none. */
export async function readPasskey(unit: Unit, userId: Uuid, id: Uuid): Promise<OwnPasskey | undefined> {
  const [row] = await unit.sql<Row>(
    `SELECT ${columns} FROM identity.passkeys WHERE user_id = $1 AND id = $2`,
    [userId, id],
  );
  return row && shown(row);
}

/** Calls one of them something else. `undefined`: it is none of theirs. */
export async function renamePasskey(
  { scopes, audit }: IdentityParts,
  userId: Uuid,
  { id, name }: { id: Uuid; name: string },
  client: Client,
): Promise<OwnPasskey | undefined> {
  const event = await audit.prepare(installationTrail, told('passkey.renamed', userId, id, client));
  return scopes.inIdentity(async (unit) => {
    const [row] = await unit.sql<Row>(
      `UPDATE identity.passkeys SET name = $3 WHERE user_id = $1 AND id = $2 RETURNING ${columns}`,
      [userId, id, name],
    );
    if (!row) return undefined;
    await audit.append(unit, installationTrail, event);
    return shown(row);
  });
}

export type PasskeyRemoval =
  /** The session has a new token; all others of theirs have ended. */
  | { outcome: 'removed'; session: NewSession }
  /** It is none of theirs. */
  | { outcome: 'unknown' }
  /** A second factor has to be shown first (`stepUp`). */
  | { outcome: 'not_fresh' };

/** Takes a passkey away. With the last second factor its recovery codes go. */
export async function removePasskey(
  parts: IdentityParts,
  session: FoundSession,
  id: Uuid,
  client: Client,
): Promise<PasskeyRemoval> {
  const { scopes, audit, nowMs } = parts;
  const { userId } = session;
  if (!isFresh(session, 'second', nowMs())) {
    const reason = 'It is too long ago that a factor was shown.';
    await noteOwnRefusal(parts, client, 'passkey.refused', reason, userId);
    return { outcome: 'not_fresh' };
  }
  const event = await audit.prepare(installationTrail, told('passkey.removed', userId, id, client));
  const removal = scopes.inIdentity(async (unit): Promise<PasskeyRemoval> => {
    await lockSecondFactors(unit, userId);
    const removed = await unit.sql(
      'DELETE FROM identity.passkeys WHERE user_id = $1 AND id = $2 RETURNING 1 AS removed',
      [userId, id],
    );
    if (removed.length === 0) return { outcome: 'unknown' };
    await settleRemoval(unit, userId, session.id);
    const rotated = await rotateSession(unit, session.id);
    if (!rotated) throw new SessionEnded();
    await endSessions(unit, userId, { except: session.id });
    await audit.append(unit, installationTrail, event);
    return { outcome: 'removed', session: rotated };
  });
  return removal.catch((error: unknown) => {
    if (error instanceof SessionEnded) return { outcome: 'not_fresh' };
    throw error;
  });
}

/** Undoes the unit: whoever asked is not signed in any more. */
class SessionEnded extends Error {}

function told(action: string, userId: Uuid, passkeyId: Uuid, client: Client) {
  return {
    actor: { kind: 'user' as const, id: userId },
    action,
    resource: { kind: 'users', id: toWire('user', userId) },
    outcome: 'allowed' as const,
    detail: { passkeyId: toWire('passkey', passkeyId) },
    ...tracesOf(client),
  };
}

function shown({ id, name, created_at, last_used_at, is_backed_up, transports }: Row): OwnPasskey {
  return {
    ...{ id, name, transports },
    createdAt: created_at,
    lastUsedAt: last_used_at ?? undefined,
    isBackedUp: is_backed_up,
  };
}
