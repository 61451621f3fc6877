import type { organizationOperations, Tombstone } from '@swarmgate/contract/rest/organizations.ts';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { holdOrganization, listTombstones, type TombstoneRow } from '#tenancy/directory.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { closeOrganization, reopenOrganization, wakeTenant } from '#tenancy/tenant-life.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { showOrganization } from './organizations.ts';
import { notFound } from './refusals.ts';

type LifeHandlers = Pick<
  HandlersOf<typeof organizationOperations>,
  'closeOrganization' | 'reopenOrganization' | 'listTombstones'
>;

/** `graceMs`: how long who was closed can be reopened. */
export function organizationLifeHandlers({
  scopes,
  trail,
  graceMs,
}: {
  scopes: Scopes;
  trail: AuditTrail;
  graceMs: number;
}): LifeHandlers {
  // Each in its own trail. The installation's has all of them in the commit that did it.
  const tellTenants = async (action: string, tenants: readonly Uuid[]) => {
    for (const tenantId of tenants)
      await trail.note(tenantId, {
        actor: { kind: 'operator' },
        action,
        resource: { kind: 'tenant', id: toWire('tenant', tenantId) },
        outcome: 'allowed',
        reason: 'Together with its organization, by an operator.',
      });
  };

  return {
    closeOrganization: {
      async operator({ ids: { organizationId } }, unit) {
        const row = await holdOrganization(unit, organizationId);
        if (!row) throw notFound();
        const closed = (await closeOrganization(unit, organizationId, { graceMs })) ?? [];
        return {
          body: showOrganization((await holdOrganization(unit, organizationId)) ?? row),
          detail: { closed: closed.map((id) => toWire('tenant', id)) },
          afterwards: () => tellTenants('closeOrganization', closed),
        };
      },
    },
    reopenOrganization: {
      async operator({ ids: { organizationId } }, unit) {
        const row = await holdOrganization(unit, organizationId);
        if (!row) throw notFound();
        const reopened = (await reopenOrganization(unit, organizationId)) ?? [];
        return {
          body: showOrganization((await holdOrganization(unit, organizationId)) ?? row),
          detail: { reopened: reopened.map(({ id }) => toWire('tenant', id)) },
          async afterwards() {
            for (const { id } of reopened.filter(({ isActive }) => isActive))
              await scopes.inTenant(id, (tenantUnit) => wakeTenant(tenantUnit, id));
            await tellTenants(
              'reopenOrganization',
              reopened.map(({ id }) => id),
            );
          },
        };
      },
    },
    listTombstones: {
      async operator({ query: { cursor, limit } }, unit) {
        const rows = await listTombstones(unit, { before: readIdCursor(cursor), limit: limit + 1 });
        return { body: pageOf(rows, limit, ({ id }) => id, showTombstone) };
      },
    },
  };
}

function showTombstone({ id, kind, slug, organization_id, closed_at, deleted_at }: TombstoneRow): Tombstone {
  return {
    ...{ id: toWire(kind, id), kind, slug },
    organizationId: organization_id && toWire('organization', organization_id),
    closedAt: closed_at.toISOString(),
    deletedAt: deleted_at.toISOString(),
  };
}
