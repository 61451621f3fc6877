import type {
  Organization,
  OrganizationTenant,
  organizationOperations,
} from '@swarmgate/contract/rest/organizations.ts';
import { fromWire, toWire } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import type { Identity } from '#identity/identity.ts';
import {
  BuriedSlugError,
  createOrganization,
  createTenant,
  holdOrganization,
  listOrganizations,
  type OrganizationRow,
  readOrganization,
  updateOrganization,
} from '#tenancy/directory.ts';
import { resumeTenant, suspendTenant, wakeTenant } from '#tenancy/tenant-life.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound } from './refusals.ts';
import { createRefuseAbsent } from './refuse-absent.ts';
import { listTenantRows, readTenantRow, showTenant } from './tenants.ts';
import { refuseOtherVersion } from './versions.ts';

/** What is left to others: what an organization owes, and how it ends. */
type Elsewhere =
  | 'getBillingDetails'
  | 'setBillingDetails'
  | 'closeOrganization'
  | 'reopenOrganization'
  | 'listTombstones';

export function organizationHandlers(
  people: () => Pick<Identity, 'hasShownFactor'>,
): Omit<HandlersOf<typeof organizationOperations>, Elsewhere> {
  const refuseAbsent = createRefuseAbsent(people, 'How people sign in is decided');

  return {
    listOrganizations: {
      async operator({ query: { cursor, limit } }, unit) {
        const rows = await listOrganizations(unit, { before: readIdCursor(cursor), limit: limit + 1 });
        return { body: pageOf(rows, limit, ({ id }) => id, showOrganization) };
      },
    },
    createOrganization: {
      async operator({ body }, unit) {
        const row = await createOrganization(unit, body).catch(explainBuried);
        if (!row) throw conflict('slug_taken', `There is an organization "${body.slug}" already.`);
        return { body: showOrganization(row), resourceId: toWire('organization', row.id) };
      },
    },
    getOrganization: {
      async inOrganization({ organizationId }, unit) {
        const row = await readOrganization(unit, organizationId);
        if (!row) throw notFound();
        return { body: showOrganization(row), version: row.version };
      },
    },
    updateOrganization: {
      async before(asked) {
        const { body } = asked;
        if (body.requiresSecondFactor !== undefined || body.requiresSingleSignOn !== undefined)
          await refuseAbsent(asked);
      },
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
          ...{ body: showOrganization(changed), version: changed.version },
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

function showOrganizationTenant(row: Parameters<typeof showTenant>[0]): OrganizationTenant {
  const { settings: _settings, version: _version, ...shown } = showTenant(row);
  return shown;
}

export function showOrganization(row: OrganizationRow): Organization {
  const { id, slug, name, plan, status, version, created_at, updated_at } = row;
  return {
    ...{ id: toWire('organization', id), slug, name, plan, status, version },
    deleteAfter: row.delete_after?.toISOString() ?? null,
    requiresSecondFactor: row.requires_second_factor,
    requiresSingleSignOn: row.requires_single_sign_on,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
