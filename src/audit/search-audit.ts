import { AppError } from '#domain/errors.ts';
import { fromWire, type IdKind, toWire, type Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { AuditPage, AuditSearch, PersonalDetail, ShownAuditEvent } from './audit-trail.ts';
import { openPersonal, openSubjectKey, subjectOf } from './subject-keys.ts';

type Row = {
  id: Uuid;
  at: Date;
  actor_kind: ShownAuditEvent['actor']['kind'];
  actor_id: Uuid | null;
  action: string;
  permission: string | null;
  resource_kind: string;
  resource_id: string | null;
  outcome: ShownAuditEvent['outcome'];
  reason: string;
  request_id: string | null;
  detail: unknown;
  personal: string | null;
};

/** The clocks of the database, which says when, and of the processes, which make ids, may differ by so much. */
const clockSlackMs = 24 * 60 * 60 * 1_000;

/** Looks through a trail by its key, which is nearly in the order of time, the latest first. */
export async function searchAudit(
  keyRing: KeyRing,
  unit: Unit,
  trail: Uuid,
  search: AuditSearch,
  { isErased = false }: { isErased?: boolean } = {},
): Promise<AuditPage> {
  const { conditions, values } = conditionsOf(trail, search);
  const rows = await unit.sql<Row>(
    `SELECT id, at, actor_kind, actor_id, action, permission, resource_kind, resource_id, outcome, reason, request_id, detail, personal
       FROM swarmgate.audit_events WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ${search.limit + 1}`,
    values,
  );
  const page = rows.slice(0, search.limit);
  const keys = isErased ? new Map<string, Buffer>() : await findKeys(keyRing, unit, trail, page);
  const last = page.at(-1);
  return {
    events: page.map((row) => show(trail, row, keys)),
    ...(rows.length > page.length && last && { nextCursor: toWire('auditEvent', last.id) }),
  };
}

function conditionsOf(trail: Uuid, search: AuditSearch): { conditions: string[]; values: unknown[] } {
  const { actor, action, resourceId, outcome, after, before, cursor, limit } = search;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new TypeError('A page has 1 to 1,000 events.');
  const conditions: string[] = [];
  const values: unknown[] = [];
  const must = (condition: string, value: unknown) => {
    values.push(value);
    conditions.push(condition.replace('$', `$${values.length}`));
  };
  must('tenant_id = $', trail);
  if (actor && 'id' in actor) must('actor_id = $', actor.id);
  if (actor && 'kind' in actor) must('actor_kind = $', actor.kind);
  if (action !== undefined) must('action = $', action);
  if (resourceId !== undefined) must('resource_id = $', resourceId);
  if (outcome !== undefined) must('outcome = $', outcome);
  if (after !== undefined) {
    must('at >= $', after);
    must('id >= $', firstIdOf(after.getTime() - clockSlackMs));
  }
  if (before !== undefined) {
    must('at < $', before);
    must('id < $', firstIdOf(before.getTime() + clockSlackMs));
  }
  if (cursor !== undefined) must('id < $', readCursor(cursor));
  return { conditions, values };
}

/** What no id of an earlier millisecond reaches (UUIDv7). */
function firstIdOf(timeMs: number): string {
  const hex = Math.min(Math.max(timeMs, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function readCursor(cursor: string): Uuid {
  const id = fromWire('auditEvent', cursor);
  if (id === undefined) throw new AppError('bad_cursor', 'The cursor is none of this list.');
  return id;
}

async function findKeys(
  keyRing: KeyRing,
  unit: Unit,
  trail: Uuid,
  rows: readonly Row[],
): Promise<Map<string, Buffer>> {
  const subjects = rows
    .filter((row) => row.personal !== null)
    .map((row) => subjectOf(trail, row.actor_id).subject);
  if (subjects.length === 0) return new Map();
  const found = await unit.sql<{ subject_id: Uuid; sealed_key: string }>(
    'SELECT subject_id, sealed_key FROM swarmgate.audit_subjects WHERE tenant_id = $1 AND subject_id = ANY ($2)',
    [trail, [...new Set(subjects)]],
  );
  return new Map(
    found.map(({ subject_id: subject, sealed_key: sealed }) => [
      subject,
      openSubjectKey(keyRing, { trail, subject }, sealed),
    ]),
  );
}

function show(trail: Uuid, row: Row, keys: ReadonlyMap<string, Buffer>): ShownAuditEvent {
  const key = row.personal === null ? undefined : keys.get(subjectOf(trail, row.actor_id).subject);
  const personal = key && openPersonal(key, row.personal ?? '', trail, row.id);
  return {
    id: toWire('auditEvent', row.id),
    at: row.at.toISOString(),
    actor: {
      kind: row.actor_kind,
      ...(row.actor_id !== null && { id: toWire(idKindOf(row.actor_kind), row.actor_id) }),
    },
    action: row.action,
    ...(row.permission !== null && { permission: row.permission }),
    resource: { kind: row.resource_kind, ...(row.resource_id !== null && { id: row.resource_id }) },
    outcome: row.outcome,
    reason: row.reason,
    ...(row.request_id !== null && { requestId: row.request_id }),
    detail: row.detail,
    ...(personal !== undefined && { personal: personal as PersonalDetail }),
    ...(row.personal !== null && personal === undefined && { isErased: true as const }),
  };
}

function idKindOf(actorKind: Row['actor_kind']): IdKind {
  if (actorKind === 'api_key') return 'apiKey';
  return actorKind === 'token_subject' ? 'tokenSubject' : 'user';
}
