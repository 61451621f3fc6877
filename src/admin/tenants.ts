import type { Tenant, tenantOperations } from '@swarmgate/contract/rest/tenants.ts';
import type { Settings } from '@swarmgate/contract/settings.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import { builtinPermissions, expandPermissions } from '#identity/roles.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { HandlersOf } from './handler.ts';
import { notFound } from './refusals.ts';
import { refuseOtherVersion } from './versions.ts';

type TenantRow = {
  id: Uuid;
  organization_id: Uuid;
  slug: string;
  name: string;
  region: string;
  status: Tenant['status'];
  closing_since: Date | null;
  delete_after: Date | null;
  closed_by: NonNullable<Tenant['closing']>['by'] | null;
  settings: Settings;
  version: number;
  created_at: Date;
  updated_at: Date;
};

const columns = `id, organization_id, slug, name, region, status, closing_since, delete_after, closed_by, settings, version,
  created_at, updated_at`;

type LifeOperation = 'closeTenant' | 'reopenTenant';

export const tenantHandlers: HandlersOf<Omit<typeof tenantOperations, LifeOperation>> = {
  getTenant: {
    async inTenant({ tenantId }, unit) {
      return versioned(await readTenantRow(unit, tenantId));
    },
  },
  updateTenant: {
    async inPlatform({ tenantId, body, seenVersion }, unit) {
      const row = await readTenantRow(unit, tenantId, 'FOR UPDATE');
      refuseOtherVersion(row.version, seenVersion);
      const [changed] = await unit.sql<TenantRow>(
        `UPDATE directory.tenants SET name = $2, settings = $3, version = version + 1, updated_at = now()
           WHERE id = $1 RETURNING ${columns}`,
        [tenantId, body.name ?? row.name, JSON.stringify(body.settings ?? row.settings)],
      );
      if (!changed) throw notFound();
      return { ...versioned(changed), detail: { changed: Object.keys(body) } };
    },
  },
  explainAccess: {
    async inTenant({ grant, query: { permission, role } }) {
      const asked = role
        ? { permissions: expandPermissions(builtinPermissions[role]), source: `the role ${role}` }
        : grant;
      const { allowed, reason } = decide(asked, permission);
      return { body: { permission, allowed, reason } };
    },
  },
};

export async function readTenantRow(unit: Unit, tenantId: Uuid, how = ''): Promise<TenantRow> {
  const [row] = await unit.sql<TenantRow>(`SELECT ${columns} FROM directory.tenants WHERE id = $1 ${how}`, [
    tenantId,
  ]);
  if (!row) throw notFound();
  return row;
}

export function listTenantRows(
  unit: Unit,
  { before, limit }: { before: Uuid | undefined; limit: number },
): Promise<TenantRow[]> {
  return unit.sql<TenantRow>(
    `SELECT ${columns} FROM directory.tenants WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`,
    [before ?? null, limit],
  );
}

export function versioned(row: TenantRow) {
  return { body: showTenant(row), version: row.version };
}

function showClosing({ closing_since, delete_after, closed_by }: TenantRow): Tenant['closing'] {
  if (!closing_since || !delete_after || !closed_by) return null;
  return { since: closing_since.toISOString(), deleteAfter: delete_after.toISOString(), by: closed_by };
}

export function showTenant(row: TenantRow): Tenant {
  const { id, organization_id, slug, name, region, status, settings, version } = row;
  return {
    ...{ id: toWire('tenant', id), organizationId: toWire('organization', organization_id) },
    ...{ slug, name, region, status, closing: showClosing(row), settings, version },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
