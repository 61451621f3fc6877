import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { HashedEvent } from './event-hash.ts';

export type SealRow = {
  number: number;
  sealedAt: Date;
  eventIds: Uuid[];
  eventHashes: Buffer;
  hash: Buffer;
};

/** How much is read and hashed in one piece: a process that verifies while it serves is not held up for long. */
const sealsMax = 500;
const eventsMax = 1_000;

/** The seals of a trail behind a number, so many that their events are not too many (but one at least). */
export async function readSeals(unit: Unit, trail: Uuid, behind: number): Promise<SealRow[]> {
  const rows = await unit.sql<{
    number: string;
    sealed_at: Date;
    event_ids: Uuid[];
    event_hashes: Buffer;
    hash: Buffer;
  }>(
    `SELECT number, sealed_at, event_ids, event_hashes, hash FROM (
         SELECT s.*, sum(cardinality(s.event_ids)) OVER (ORDER BY s.number) - cardinality(s.event_ids) AS before
           FROM (SELECT * FROM swarmgate.audit_seals WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT ${sealsMax}) s
       ) counted WHERE before < ${eventsMax} ORDER BY number`,
    [trail, behind],
  );
  return rows.map((row) => ({
    number: Number(row.number),
    sealedAt: row.sealed_at,
    eventIds: row.event_ids,
    eventHashes: row.event_hashes,
    hash: row.hash,
  }));
}

type EventRow = Record<'tenant_id' | 'actor_kind' | 'action' | 'resource_kind' | 'outcome', string> &
  Record<'actor_id' | 'permission' | 'resource_id' | 'request_id' | 'personal', string | null> & {
    id: Uuid;
    at: Date;
    reason: string;
    detail_text: string;
  };

/** Those events of a trail that there are. */
export async function readEvents(
  unit: Unit,
  trail: Uuid,
  ids: readonly Uuid[],
): Promise<Map<Uuid, HashedEvent>> {
  const rows = await unit.sql<EventRow>(
    `SELECT tenant_id, id, at, actor_kind, actor_id, action, permission, resource_kind, resource_id, outcome, reason,
         request_id, detail::text AS detail_text, personal
       FROM swarmgate.audit_events WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    [trail, ids],
  );
  return new Map(
    rows.map((row) => [
      row.id,
      {
        tenantId: row.tenant_id,
        id: row.id,
        at: row.at,
        actorKind: row.actor_kind,
        actorId: row.actor_id,
        action: row.action,
        permission: row.permission,
        resourceKind: row.resource_kind,
        resourceId: row.resource_id,
        outcome: row.outcome,
        reason: row.reason,
        requestId: row.request_id,
        detailText: row.detail_text,
        personal: row.personal,
      },
    ]),
  );
}

/** What no seal names yet: how many, and for how long the oldest has waited. */
export async function readUnsealed(unit: Unit, trail: Uuid): Promise<{ count: number; seconds: number }> {
  const [row] = await unit.sql<{ count: string; seconds: number }>(
    `SELECT count(*) AS count, coalesce(extract(epoch FROM clock_timestamp() - min(e.at)), 0)::float8 AS seconds
       FROM swarmgate.audit_events e
       LEFT JOIN (SELECT unnest(s.event_ids) AS id FROM swarmgate.audit_seals s WHERE s.tenant_id = $1) sealed ON sealed.id = e.id
       WHERE e.tenant_id = $1 AND sealed.id IS NULL`,
    [trail],
  );
  return { count: Number(row?.count ?? 0), seconds: Math.max(0, row?.seconds ?? 0) };
}

/** Every trail that has events or seals. */
export async function readTrails(unit: Unit): Promise<Uuid[]> {
  const found = new Set<Uuid>();
  for (const table of ['audit_seals', 'audit_events'])
    for (const { tenant_id: trail } of await unit.sql<{ tenant_id: Uuid }>(
      // From trail to trail along the key.
      `WITH RECURSIVE trails AS (
           (SELECT t.tenant_id FROM swarmgate.${table} t ORDER BY t.tenant_id LIMIT 1)
           UNION ALL
           SELECT (SELECT t.tenant_id FROM swarmgate.${table} t WHERE t.tenant_id > known.tenant_id ORDER BY t.tenant_id LIMIT 1)
             FROM trails known WHERE known.tenant_id IS NOT NULL)
         SELECT tenant_id FROM trails WHERE tenant_id IS NOT NULL`,
    ))
      found.add(trail);
  return [...found];
}
