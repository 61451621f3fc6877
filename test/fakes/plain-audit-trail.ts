import {
  type AuditEvent,
  type AuditTrail,
  installationTrail,
  type PreparedAuditEvent,
} from '#audit/audit-trail.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** An audit trail that keeps the events in their table, and nothing that is personal. */
export function createPlainAuditTrail(scopes: Scopes): AuditTrail {
  return {
    async prepare(_trail, { personal, ...event }) {
      return { ...event, id: newId(), sealedPersonal: personal && 'sealed' };
    },
    async append(unit, trail, event) {
      const row = rowOf(trail, event);
      await unit.sql(
        `INSERT INTO swarmgate.audit_events (tenant_id, id, actor_kind, actor_id, action, resource_kind, resource_id, outcome, reason, detail, personal)
           SELECT r."tenantId", r.id, r."actorKind", r."actorId", r.action, r."resourceKind", r."resourceId", r.outcome, coalesce(r.reason, ''), r.detail, r.personal
             FROM jsonb_to_record($1) AS r ("tenantId" uuid, id uuid, "actorKind" text, "actorId" uuid, action text, "resourceKind" text, "resourceId" text, outcome text, reason text, detail jsonb, personal text)`,
        [JSON.stringify(row)],
      );
    },
    async note(trail: Uuid, event: AuditEvent) {
      const prepared = await this.prepare(trail, event);
      await scopes.call('swarmgate.note_audit_v1', [JSON.stringify([rowOf(trail, prepared)])]);
    },
  };
}

function rowOf(trail: Uuid, event: PreparedAuditEvent) {
  return {
    tenantId: trail,
    id: event.id,
    actorKind: event.actor.kind,
    actorId: event.actor.id,
    action: event.action,
    permission: event.permission,
    resourceKind: event.resource.kind,
    resourceId: event.resource.id,
    outcome: event.outcome,
    reason: event.reason,
    requestId: event.requestId,
    detail: event.detail ?? {},
    personal: event.sealedPersonal,
  };
}

/** What the trail of the installation tells, in its order: action and outcome. */
export async function toldActions(scopes: Scopes): Promise<string[]> {
  const rows = await scopes.inIdentity((unit) =>
    unit.sql<{ action: string }>(
      'SELECT action FROM swarmgate.audit_events WHERE tenant_id = $1 ORDER BY id',
      [installationTrail],
    ),
  );
  return rows.map(({ action }) => action);
}
