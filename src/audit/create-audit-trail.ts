import { AppError } from '#domain/errors.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { createBatcher } from '#kernel/batcher.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { toldByAudit } from '#webhooks/audited-events.ts';
import { tellWebhooks } from '#webhooks/tell-webhooks.ts';
import {
  type AuditEvent,
  type AuditRecords,
  type AuditTrail,
  installationTrail,
  type PreparedAuditEvent,
} from './audit-trail.ts';
import { fitEvent } from './fit-event.ts';
import { searchAudit } from './search-audit.ts';
import { createSubjectKeys, sealPersonal, subjectOf } from './subject-keys.ts';

export type AuditTrailParts = { scopes: Scopes; keyRing: KeyRing };

/** What one call keeps at most. */
const notesMax = 200;

export function createAuditTrail({ scopes, keyRing }: AuditTrailParts): AuditTrail & AuditRecords {
  const keys = createSubjectKeys({ scopes, keyRing });

  async function prepare(trail: Uuid, given: AuditEvent): Promise<PreparedAuditEvent> {
    const { personal, ...event } = fitEvent(given);
    const id = newId();
    const isPersonal = personal !== undefined && Object.keys(personal).length > 0;
    const sealedPersonal = isPersonal
      ? sealPersonal(await keys.keyOf(subjectOf(trail, event.actor.id)), personal, trail, id)
      : undefined;
    return { ...event, id, sealedPersonal };
  }

  const keep = (notes: readonly Note[]) =>
    scopes.call('swarmgate.note_audit_v2', [
      JSON.stringify(notes.map(noteRow)),
      JSON.stringify(notes.flatMap(toldRows)),
    ]);
  const keepTogether = createBatcher<Note, undefined>(async (notes) => {
    try {
      await keep(notes);
      return notes.map(() => undefined);
    } catch (error) {
      // What the database cannot do now it cannot do for each of them either. Otherwise one of them is at fault.
      if (notes.length === 1 || (error instanceof AppError && error.retry === 'later')) throw error;
      const outcomes: (Error | undefined)[] = [];
      for (const note of notes) outcomes.push(await keep([note]).then(() => undefined, asError));
      return outcomes;
    }
  }, notesMax);

  async function append(unit: Unit, trail: Uuid, event: PreparedAuditEvent): Promise<void> {
    const row = noteRow({ trail, event });
    await unit.sql(
      `INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, actor_id, action, permission, resource_kind, resource_id,
           outcome, reason, request_id, detail, personal)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [
        ...[row.tenantId, row.id, row.actorKind, row.actorId, row.action, row.permission],
        ...[row.resourceKind, row.resourceId, row.outcome, row.reason, row.requestId],
        ...[JSON.stringify(row.detail), row.personal],
      ],
    );
    for (const told of toldOf(trail, event)) await tellWebhooks(unit, trail, told);
  }

  return {
    prepare,

    append,

    async note(trail, event) {
      await keepTogether({ trail, event: await prepare(trail, event) });
    },

    search: (unit, trail, search) => searchAudit(keyRing, unit, trail, search),
    searchErased: (unit, trail, search) => searchAudit(keyRing, unit, trail, search, { isErased: true }),

    async eraseSubject(unit, trail, subjectId) {
      await unit.sql('DELETE FROM swarmgate.audit_subjects WHERE tenant_id = $1 AND subject_id = $2', [
        trail,
        subjectId,
      ]);
      keys.forget({ trail, subject: subjectId });
    },
  };
}

function toldOf(trail: Uuid, event: PreparedAuditEvent) {
  if (trail === installationTrail) return [];
  const { kind, id } = event.actor;
  return toldByAudit(
    toWire('tenant', trail),
    event,
    kind === 'api_key' && id ? toWire('apiKey', id) : undefined,
  );
}

/** What webhooks are told with a note, in the words of `note_audit_v2`. */
function toldRows({ trail, event }: Note) {
  return toldOf(trail, event).map((told) => ({ tenantId: trail, id: newId(), ...told }));
}

type Note = { trail: Uuid; event: PreparedAuditEvent };

/** A row, in the words of `note_audit_v2`. */
function noteRow({ trail, event }: Note) {
  return {
    tenantId: trail,
    id: event.id,
    actorKind: event.actor.kind,
    actorId: event.actor.id ?? null,
    action: event.action,
    permission: event.permission ?? null,
    resourceKind: event.resource.kind,
    resourceId: event.resource.id ?? null,
    outcome: event.outcome,
    reason: event.reason ?? '',
    requestId: event.requestId ?? null,
    detail: event.detail ?? {},
    personal: event.sealedPersonal ?? null,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
