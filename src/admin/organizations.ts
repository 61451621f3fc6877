import type {
  BillingDetails,
  Organization,
  OrganizationTenant,
  organizationOperations,
} from '@swarmgate/contract/rest/organizations.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import {
  createOrganization,
  createTenant,
  holdOrganization,
  keepBillingDetails,
  listOrganizations,
  type OrganizationRow,
  readBillingDetails,
  readOrganization,
  updateOrganization,
} from '#tenancy/directory.ts';
import { resumeTenant, suspendTenant, wakeSuspended } from '#tenancy/tenant-life.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound } from './refusals.ts';
import { listTenantRows, readTenantRow, showTenant } from './tenants.ts';
import { refuseOtherVersion } from './versions.ts';

export function organizationHandlers(keyRing: KeyRing): HandlersOf<typeof organizationOperations> {
  return { ...directoryHandlers, ...billingHandlers(keyRing) };
}

type Handlers = HandlersOf<typeof organizationOperations>;
type BillingHandlers = Pick<Handlers, 'getBillingDetails' | 'setBillingDetails'>;

const directoryHandlers: Omit<Handlers, keyof BillingHandlers> = {
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
  getOrganization: {
    async inOrganization({ organizationId }, unit) {
      const row = await readOrganization(unit, organizationId);
      if (!row) throw notFound();
      return { body: show(row), version: row.version };
    },
  },
  updateOrganization: {
    async overOrganization({ organizationId, body, grant, principal, seenVersion }, unit) {
      const overPlan = decide(grant, 'organization:admin', 'organization');
      if (body.plan !== undefined && !overPlan.allowed) throw forbidden(overPlan.reason);
      // Whoever gives passwords up has shown that there is another way in.
      const cameBySignOn = principal.kind === 'user' && principal.organizationId === organizationId;
      if (body.requiresSingleSignOn && !cameBySignOn && !overPlan.allowed)
        throw forbidden('Sign in by the single sign-on first: without it nobody would come in any more.');
      const row = await holdOrganization(unit, organizationId);
      if (!row) throw notFound();
      refuseOtherVersion(row.version, seenVersion);
      const changed = await updateOrganization(unit, {
        ...{ id: row.id, name: body.name ?? row.name, plan: body.plan ?? row.plan },
        requires_second_factor: body.requiresSecondFactor ?? row.requires_second_factor,
        requires_single_sign_on: body.requiresSingleSignOn ?? row.requires_single_sign_on,
      });
      return {
        ...{ body: show(changed), version: changed.version },
        detail: {
          changed: Object.keys(body),
          requiresSecondFactor: changed.requires_second_factor,
          requiresSingleSignOn: changed.requires_single_sign_on,
        },
      };
    },
  },
  listOrganizationTenants: {
    async inOrganization({ query: { cursor, limit } }, unit) {
      const rows = await listTenantRows(unit, { before: readIdCursor(cursor), limit: limit + 1 });
      return { body: pageOf(rows, limit, ({ id }) => id, showOrganizationTenant) };
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
      await suspendTenant(unit, tenantId);
      return { body: showTenant(await readTenantRow(unit, tenantId)) };
    },
    thenInTenant: async () => {},
  },
  resumeTenant: {
    async operator({ ids: { tenantId } }, unit) {
      await readTenantRow(unit, tenantId, 'FOR UPDATE');
      await resumeTenant(unit, tenantId);
      return { body: showTenant(await readTenantRow(unit, tenantId)) };
    },
    thenInTenant: (tenantId, unit) => wakeSuspended(unit, tenantId),
  },
};

// Of whoever pays, which is personal: it leaves here only to who may read it, and stands in no log and no trail.
function billingHandlers(keyRing: KeyRing): BillingHandlers {
  const placeOf = (organizationId: Uuid) => ({
    ...{ tenantId: organizationId, table: 'billing_details', column: 'details' },
  });
  return {
    getBillingDetails: {
      async inOrganization({ organizationId }, unit) {
        const row = await readBillingDetails(unit, organizationId);
        if (!row) return { body: { email: '', address: '' }, version: 0 };
        const body = JSON.parse(keyRing.open(row.sealed, placeOf(organizationId))) as BillingDetails;
        return { body, version: row.version };
      },
    },
    setBillingDetails: {
      async overOrganization({ organizationId, body, seenVersion }, unit) {
        // Holding the organization makes it one after the other.
        if (!(await holdOrganization(unit, organizationId))) throw notFound();
        refuseOtherVersion((await readBillingDetails(unit, organizationId))?.version ?? 0, seenVersion);
        const sealed = keyRing.seal(JSON.stringify(body), placeOf(organizationId));
        const { version } = await keepBillingDetails(unit, { organizationId, sealed });
        return { body, version, detail: { changed: Object.keys(body) } };
      },
    },
  };
}

function showOrganizationTenant(row: Parameters<typeof showTenant>[0]): OrganizationTenant {
  const { settings: _settings, version: _version, ...shown } = showTenant(row);
  return shown;
}

function show(row: OrganizationRow): Organization {
  const { id, slug, name, plan, version, created_at, updated_at } = row;
  return {
    ...{ id: toWire('organization', id), slug, name, plan, version },
    requiresSecondFactor: row.requires_second_factor,
    requiresSingleSignOn: row.requires_single_sign_on,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
