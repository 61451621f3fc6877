import type { auditOperations } from '@swarmgate/contract/rest/audit.ts';
import { type AuditRecords, readAuditActor } from '#audit/audit-trail.ts';
import { fromWire, toWire } from '#domain/ids.ts';
import { cursorOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';

export function auditHandlers(records: AuditRecords): HandlersOf<typeof auditOperations> {
  return {
    listAuditEvents: {
      async inTenant({ tenantId, query: { cursor, actor, after, before, ...search } }, unit) {
        const behind = readIdCursor(cursor);
        const { events, nextCursor } = await records.search(unit, tenantId, {
          ...search,
          actor: actor === undefined ? undefined : readAuditActor(actor),
          after: after === undefined ? undefined : new Date(after),
          before: before === undefined ? undefined : new Date(before),
          cursor: behind && toWire('auditEvent', behind),
        });
        const last = nextCursor === undefined ? undefined : fromWire('auditEvent', nextCursor);
        return { body: { items: events, nextCursor: last ? cursorOf(last) : null } };
      },
    },
  };
}
