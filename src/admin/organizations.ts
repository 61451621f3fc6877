import type {
  Organization,
  organizationOperations,
  Tombstone,
} from '@swarmgate/contract/rest/organizations.ts';
import type { AuditTrail } from '#audit/audit-trail.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import {
  BuriedSlugError,
  createOrganization,
  createTenant,
  holdOrganization,
  listOrganizations,
  listTombstones,
  type OrganizationRow,
  type TombstoneRow,
  updateOrganization,
} from '#tenancy/directory.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import {
  closeOrganization,
  reopenOrganization,
  resumeTenant,
  suspendTenant,
  wakeTenant,
} from '#tenancy/tenant-life.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { listTenantRows, readTenantRow, showTenant } from './tenants.ts';
import { refuseOtherVersion } from './versions.ts';

/** `graceMs`: how long who was closed can be reopened. */
export function organizationHandlers({
  scopes,
  trail,
  graceMs,
}: {
  scopes: Scopes;
  trail: AuditTrail;
  graceMs: number;
}): HandlersOf<typeof organizationOperations> {
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
    listOrganizations: {
      async operator({ query: { cursor, limit } }, unit) {
        const rows = await listOrganizations(unit, { before: readIdCursor(cursor), limit: limit + 1 });
        return { body: pageOf(rows, limit, ({ id }) => id, show) };
      },
    },
    createOrganization: {
      async operator({ body }, unit) {
        const row = await createOrganization(unit, body).catch(explainBuried);
        if (!row) throw conflict('slug_taken', `There is an organization "${body.slug}" already.`);
        return { body: show(row), resourceId: toWire('organization', row.id) };
      },
    },
    updateOrganization: {
      async operator({ ids, body, seenVersion }, unit) {
        const row = await holdOrganization(unit, ids.organizationId);
        if (!row) throw notFound();
        refuseOtherVersion(row.version, seenVersion);
        const changed = await updateOrganization(unit, {
          ...{ id: row.id, name: body.name ?? row.name, plan: body.plan ?? row.plan },
        });
        return { body: show(changed), version: changed.version, detail: { changed: Object.keys(body) } };
      },
    },
    closeOrganization: {
      async operator({ ids: { organizationId } }, unit) {
        const row = await holdOrganization(unit, organizationId);
        if (!row) throw notFound();
        const closed = (await closeOrganization(unit, organizationId, { graceMs })) ?? [];
        return {
          body: show((await holdOrganization(unit, organizationId)) ?? row),
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
          body: show((await holdOrganization(unit, organizationId)) ?? row),
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
    listTenants: {
      async operator({ query: { cursor, limit } }, unit) {
        const rows = await listTenantRows(unit, { before: readIdCursor(cursor), limit: limit + 1 });
        return { body: pageOf(rows, limit, ({ id }) => id, showTenant) };
      },
    },
    createTenant: {
      async operator({ body: { organizationId, ...tenant } }, unit) {
        const id = fromWire('organization', organizationId);
        const organization = id && (await holdOrganization(unit, id));
        if (!organization) throw conflict('no_such_organization', 'There is no such organization.');
        if (organization.status !== 'active')
          throw conflict('organization_closing', 'The organization is closing; reopen it first.');
        const wish = { organizationId: organization.id, ...tenant };
        const tenantId = await createTenant(unit, wish).catch(explainBuried);
        if (!tenantId) throw conflict('slug_taken', `There is a tenant "${tenant.slug}" already.`);
        return {
          body: showTenant(await readTenantRow(unit, tenantId)),
          resourceId: toWire('tenant', tenantId),
        };
      },
    },
    suspendTenant: {
      async operator({ ids: { tenantId } }, unit) {
        await readTenantRow(unit, tenantId, 'FOR UPDATE');
        const isNews = await suspendTenant(unit, tenantId);
        return { body: showTenant(await readTenantRow(unit, tenantId)), ...(!isNews && repeated) };
      },
      thenInTenant: async () => {},
    },
    resumeTenant: {
      async operator({ ids: { tenantId } }, unit) {
        await readTenantRow(unit, tenantId, 'FOR UPDATE');
        const isNews = await resumeTenant(unit, tenantId);
        return { body: showTenant(await readTenantRow(unit, tenantId)), ...(!isNews && repeated) };
      },
      thenInTenant: (tenantId, unit) => wakeTenant(unit, tenantId),
    },
  };
}

/** What the trails are told of a call that found nothing to change. */
const repeated = { detail: { isRepeated: true } };

function explainBuried(error: unknown): never {
  if (error instanceof BuriedSlugError) throw conflict(error.code, error.message);
  throw error;
}

function show({ id, slug, name, plan, status, version, ...row }: OrganizationRow): Organization {
  return {
    ...{ id: toWire('organization', id), slug, name, plan, status, version },
    deleteAfter: row.delete_after?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
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
