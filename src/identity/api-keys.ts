import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { makeKey } from './key-format.ts';

export type ApiKeyRow = {
  id: Uuid;
  name: string;
  prefix: string;
  permissions: Permission[];
  created_by: Uuid | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  replaced_by: Uuid | null;
  last_used_at: Date | null;
};

export type NewApiKey = {
  tenantId: Uuid;
  name: string;
  permissions: readonly Permission[];
  /** The member who makes it; absent: an operator of the installation. */
  createdBy: Uuid | undefined;
  /** The key that it was made with: it lives no longer than that one, and ends when that one is revoked. */
  parentId?: Uuid | undefined;
  expiresAt: Date | undefined;
};

/** A key that has ended makes none, and cannot be given a successor. */
class KeyEndedError extends AppError<'api_key_ended'> {
  override readonly name = 'KeyEndedError';

  constructor() {
    super('api_key_ended', 'The key has ended already; make a new one.');
  }
}

const columns =
  'id, name, prefix, permissions, created_by, created_at, expires_at, revoked_at, replaced_by, last_used_at';

/**
 * Makes a key of the unit's tenant. `key` is its text, which exists nowhere else from then on.
 * @throws {KeyEndedError} when the one that it is made with has ended
 */
export async function createApiKey(
  unit: Unit,
  { tenantId, name, permissions, createdBy, parentId, expiresAt }: NewApiKey,
): Promise<{ row: ApiKeyRow; key: string }> {
  if (parentId !== undefined) await refuseEnded(unit, parentId);
  const { key, prefix, hash } = makeKey(tenantId);
  const [row] = await unit.sql<ApiKeyRow>(
    `INSERT INTO swarmgate.api_keys (tenant_id, id, name, prefix, secret_hash, permissions, created_by, expires_at, parent_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7,
         least($8::timestamptz, (SELECT p.expires_at FROM swarmgate.api_keys p WHERE p.id = $9)), $9) RETURNING ${columns}`,
    [
      ...[tenantId, newId(), name, prefix, hash, permissions],
      ...[createdBy ?? null, expiresAt ?? null, parentId ?? null],
    ],
  );
  if (!row) throw new TypeError('The database answered nothing.');
  return { row, key };
}

// A key that another process has revoked is good here for a second: it makes nothing that its revocation has not seen.
async function refuseEnded(unit: Unit, id: Uuid): Promise<void> {
  await holdKeys(unit);
  const good = await unit.sql(
    `SELECT 1 FROM swarmgate.api_keys WHERE id = $1 AND revoked_at IS NULL AND coalesce(expires_at > now(), true)`,
    [id],
  );
  if (good.length === 0) throw new KeyEndedError();
}

// Of a tenant's keys, those that hang on each other change one after the other, until the unit ends.
async function holdKeys(unit: Unit): Promise<void> {
  await unit.sql(
    `SELECT pg_advisory_xact_lock(hashtextextended('api-keys ' || swarmgate.current_tenant(), 0))`,
  );
}

/** Keys of the unit's tenant, the latest first, from the one behind `before` on. */
export function listApiKeys(
  unit: Unit,
  { before, limit }: { before: Uuid | undefined; limit: number },
): Promise<ApiKeyRow[]> {
  return unit.sql<ApiKeyRow>(
    `SELECT ${columns} FROM swarmgate.api_keys WHERE ($1::uuid IS NULL OR id < $1) ORDER BY tenant_id DESC, id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

export async function findApiKey(unit: Unit, id: Uuid): Promise<ApiKeyRow | undefined> {
  const [row] = await unit.sql<ApiKeyRow>(`SELECT ${columns} FROM swarmgate.api_keys WHERE id = $1`, [id]);
  return row;
}

/**
 * Makes a key that may do what another may, and lets the other one end once the overlap is over. It is the key of whoever
 * rotates, who holds its secret: their rights bound it. `undefined`: there is no such key. @throws {KeyEndedError}
 */
export async function rotateApiKey(
  unit: Unit,
  {
    tenantId,
    id,
    overlapSeconds,
    createdBy,
    parentId,
  }: Pick<NewApiKey, 'tenantId' | 'createdBy' | 'parentId'> & { id: Uuid; overlapSeconds: number },
): Promise<{ row: ApiKeyRow; key: string; oldPrefix: string } | undefined> {
  type Old = ApiKeyRow & { lifetime_seconds: number | null; has_ended: boolean; parent_id: Uuid | null };
  await holdKeys(unit);
  const [old] = await unit.sql<Old>(
    `SELECT ${columns}, parent_id, extract(epoch FROM expires_at - created_at)::double precision AS lifetime_seconds,
         revoked_at IS NOT NULL OR replaced_by IS NOT NULL OR coalesce(expires_at <= now(), false) AS has_ended
       FROM swarmgate.api_keys WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (!old) return undefined;
  if (old.has_ended) throw new KeyEndedError();
  const { name, permissions, lifetime_seconds } = old;
  const made = await createApiKey(unit, {
    ...{ tenantId, name, permissions, createdBy },
    // A key that takes its own place is no child of what is about to end.
    parentId: parentId === id ? (old.parent_id ?? undefined) : parentId,
    // It lives as long as the other one was meant to.
    expiresAt: lifetime_seconds === null ? undefined : new Date(Date.now() + lifetime_seconds * 1_000),
  });
  await unit.sql(
    `UPDATE swarmgate.api_keys SET replaced_by = $2,
         expires_at = least(coalesce(expires_at, 'infinity'), now() + make_interval(secs => $3)) WHERE id = $1`,
    [id, made.row.id, overlapSeconds],
  );
  return { ...made, oldPrefix: old.prefix };
}

/**
 * Ends a key of the unit's tenant, with all that were made with it and all that have taken its place: whoever had it may have
 * any of them. Answers those that it ended, or that had ended before (`was_revoked`); none: there is no such key.
 */
export async function revokeApiKey(unit: Unit, id: Uuid): Promise<(ApiKeyRow & { was_revoked: boolean })[]> {
  await holdKeys(unit);
  return unit.sql<ApiKeyRow & { was_revoked: boolean }>(
    `WITH RECURSIVE ended AS (
         SELECT k.id, k.replaced_by, k.revoked_at FROM swarmgate.api_keys k WHERE k.id = $1
         UNION
         SELECT k.id, k.replaced_by, k.revoked_at FROM swarmgate.api_keys k JOIN ended e ON k.parent_id = e.id OR k.id = e.replaced_by)
       UPDATE swarmgate.api_keys k SET revoked_at = coalesce(k.revoked_at, now()) FROM ended
         WHERE k.id = ended.id
         RETURNING ${columns.replaceAll(/\b(\w+)\b/g, 'k.$1')}, ended.revoked_at IS NOT NULL AS was_revoked`,
    [id],
  );
}
