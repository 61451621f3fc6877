import type { Organization, organizationOperations } from '@swarmgate/contract/rest/organizations.ts';
import { fromWire, toWire } from '#domain/ids.ts';
import {
  createOrganization,
  createTenant,
  holdOrganization,
  listOrganizations,
  type OrganizationRow,
  updateOrganization,
} from '#tenancy/directory.ts';
import { resumeTenant, suspendTenant, wakeSuspended } from '#tenancy/tenant-life.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { listTenantRows, readTenantRow, showTenant } from './tenants.ts';
import { refuseOtherVersion } from './versions.ts';

export const organizationHandlers: HandlersOf<typeof organizationOperations> = {
  listOrganizations: {
    async operator({ query: { cursor, limit } }, unit) {
      const rows = await listOrganizations(unit, { before: readIdCursor(cursor), limit: limit + 1 });
      return { body: pageOf(rows, limit, ({ id }) => id, show) };
    },
  },
  createOrganization: {
    async operator({ body }, unit) {
      const row = await createOrganization(unit, body);
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
      const tenantId = await createTenant(unit, { organizationId: organization.id, ...tenant });
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
    thenInTenant: (tenantId, unit) => wakeSuspended(unit, tenantId),
  },
};

/** What the trails are told of a call that found nothing to change. */
const repeated = { detail: { isRepeated: true } };

function show({ id, slug, name, plan, version, created_at, updated_at }: OrganizationRow): Organization {
  return {
    ...{ id: toWire('organization', id), slug, name, plan, version },
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
