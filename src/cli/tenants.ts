import { type AuditEvent, installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { listTombstones } from '#tenancy/directory.ts';
import type { PlatformUnit } from '#tenancy/scopes.ts';
import {
  closeTenant,
  reopenTenant,
  resumeTenant,
  suspendTenant,
  type TenantStatus,
  wakeTenant,
} from '#tenancy/tenant-life.ts';
import type { Storage } from '../storage.ts';

/** What an operator asks about tenants, which they name by their slugs. */
export type TenantsWish =
  | { act: 'list'; deleted: boolean }
  | { act: 'show' | 'suspend' | 'resume' | 'close' | 'reopen'; tenant: string };

export type ListedTenant = {
  id: string;
  slug: string;
  organization?: string;
  name?: string;
  status: TenantStatus | 'deleted';
  createdAt?: string;
  /** While it is closing, or was deleted. */
  closedAt?: string;
  closedBy?: string;
  deleteAfter?: string;
  deletedAt?: string;
};

/** Nobody here has that slug, or what is asked cannot be done to it. */
class TenantRefusedError extends AppError<'tenant_refused'> {
  override readonly name = 'TenantRefusedError';

  constructor(message: string) {
    super('tenant_refused', message);
  }
}

type Row = {
  id: Uuid;
  slug: string;
  name: string;
  organization: string;
  status: TenantStatus;
  created_at: Date;
  closing_since: Date | null;
  closed_by: string | null;
  delete_after: Date | null;
};

const listedMax = 10_000;

/** Does it in one transaction, and tells the installation’s trail and the tenant’s of what it changes. */
export async function operateTenants(
  { scopes, keyRing }: Storage,
  wish: TenantsWish,
  { graceMs }: { graceMs: number },
): Promise<ListedTenant[]> {
  if (wish.act === 'list')
    return scopes.inPlatform(async (unit) =>
      wish.deleted ? listDeleted(unit) : (await read(unit)).map(show),
    );
  const trail = createAuditTrail({ scopes, keyRing });
  return scopes.inPlatform(async (unit) => {
    const before = await find(unit, wish.tenant);
    if (wish.act === 'show') return [show(before)];
    const wakes = await act(unit, wish.act, before.id, graceMs);
    const after = await find(unit, wish.tenant);
    const event: AuditEvent = {
      actor: { kind: 'operator' },
      action: `${wish.act}Tenant`,
      resource: { kind: 'tenant', id: toWire('tenant', after.id) },
      outcome: 'allowed',
      reason: 'By an operator, at the command line.',
      detail: { before: before.status, after: after.status },
    };
    await trail.append(unit, installationTrail, await trail.prepare(installationTrail, event));
    await unit.becomeTenant(after.id);
    if (wakes) await wakeTenant(unit, after.id);
    await trail.append(unit, after.id, await trail.prepare(after.id, event));
    return [show(after)];
  });
}

/** Answers whether what waits is to be woken. */
async function act(
  unit: PlatformUnit,
  wish: 'suspend' | 'resume' | 'close' | 'reopen',
  tenantId: Uuid,
  graceMs: number,
): Promise<boolean> {
  switch (wish) {
    case 'suspend':
      await suspendTenant(unit, tenantId);
      return false;
    case 'resume':
      await resumeTenant(unit, tenantId);
      return true;
    case 'close':
      await closeTenant(unit, tenantId, { by: 'operator', graceMs });
      return false;
    case 'reopen':
      return (await reopenTenant(unit, tenantId, { by: 'operator' })).isActive;
  }
}

async function find(unit: PlatformUnit, slug: string): Promise<Row> {
  const [row] = await read(unit, slug);
  if (row?.status === 'deleting')
    throw new TenantRefusedError(`The tenant "${slug}" is being deleted; there is no way back.`);
  if (row) return row;
  const buried = (await listDeleted(unit)).some((one) => one.slug === slug);
  throw new TenantRefusedError(
    buried ? `The tenant "${slug}" was deleted.` : `There is no tenant "${slug.slice(0, 100)}" here.`,
  );
}

function read(unit: PlatformUnit, slug?: string): Promise<Row[]> {
  return unit.sql<Row>(
    `SELECT t.id, t.slug, t.name, o.slug AS organization, t.status, t.created_at, t.closing_since, t.closed_by, t.delete_after
       FROM directory.tenants t JOIN directory.organizations o ON o.id = t.organization_id
       WHERE ($1::text IS NULL OR t.slug = $1) ORDER BY o.slug, t.slug LIMIT ${listedMax}`,
    [slug ?? null],
  );
}

async function listDeleted(unit: PlatformUnit): Promise<ListedTenant[]> {
  const rows = await listTombstones(unit, { before: undefined, limit: listedMax });
  return rows
    .filter(({ kind }) => kind === 'tenant')
    .map(({ id, slug, closed_at, deleted_at }) => ({
      ...{ id: toWire('tenant', id), slug, status: 'deleted' as const },
      ...{ closedAt: closed_at.toISOString(), deletedAt: deleted_at.toISOString() },
    }));
}

function show({ id, slug, name, organization, status, ...row }: Row): ListedTenant {
  const { closing_since: since, closed_by: by, delete_after: after } = row;
  return {
    ...{ id: toWire('tenant', id), slug, organization, name, status },
    createdAt: row.created_at.toISOString(),
    ...(since && { closedAt: since.toISOString() }),
    ...(by !== null && { closedBy: by }),
    ...(after && { deleteAfter: after.toISOString() }),
  };
}
