import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from './scopes.ts';

/**
 * The life of a tenant: active, suspended, closing, and then deleted (tenant-deletion.ts). While it is closing it can be
 * reopened, and is as it was.
 */

export type TenantStatus = 'active' | 'suspended' | 'closing' | 'deleting';

/** Who closes a tenant, and so who may reopen it: whoever looks after the installation may undo what its members did. */
export type ClosedBy = 'tenant' | 'operator' | 'organization';

/** It cannot be closed or reopened by whoever asks; the message says why. */
export class TenantLifeError extends AppError<
  'tenant_not_open' | 'tenant_not_closing' | 'closed_by_operator' | 'organization_closing'
> {
  override readonly name = 'TenantLifeError';
}

/**
 * Suspends a tenant: its webhooks are answered and what comes in is kept, but nothing begins. What is being answered or
 * delivered at this moment ends. `false`: it was not going on.
 */
export function suspendTenant(unit: PlatformUnit, tenantId: Uuid): Promise<boolean> {
  return setStatus(unit, tenantId, 'active', 'suspended');
}

/** Lets it go on. What waits for that is woken by {@link wakeTenant}, in the same unit. `false`: it was not suspended. */
export function resumeTenant(unit: PlatformUnit, tenantId: Uuid): Promise<boolean> {
  return setStatus(unit, tenantId, 'suspended', 'active');
}

// A tenant that is being closed stays so.
async function setStatus(unit: PlatformUnit, tenantId: Uuid, from: string, to: string): Promise<boolean> {
  const set = await unit.sql(
    `UPDATE directory.tenants SET status = $3, version = version + 1, updated_at = now() WHERE id = $1 AND status = $2 RETURNING id`,
    [tenantId, from, to],
  );
  return set.length > 0;
}

/**
 * Closes a tenant: from this commit on nothing runs and nothing goes out, and what comes in is kept. Once `graceMs` are over
 * it is deleted. One that is closing already stays as it is. Answers whether it was closed now. @throws {TenantLifeError}
 */
export async function closeTenant(
  unit: PlatformUnit,
  tenantId: Uuid,
  { by, graceMs }: { by: ClosedBy; graceMs: number },
): Promise<boolean> {
  const { status } = await hold(unit, tenantId);
  if (status === 'closing' || status === 'deleting') return false;
  if (status === 'suspended' && by === 'tenant')
    throw new TenantLifeError(
      'tenant_not_open',
      'The tenant is suspended: an operator lets it go on, or closes it.',
    );
  await unit.sql(
    `UPDATE directory.tenants SET status = 'closing', status_before = status, closed_by = $2, closing_since = clock_timestamp(),
         delete_after = clock_timestamp() + $3 * interval '1 millisecond', version = version + 1, updated_at = now()
       WHERE id = $1`,
    [tenantId, by, graceMs],
  );
  return true;
}

/**
 * Takes the closing of a tenant back. What waits is woken by {@link wakeTenant}, in the same unit, if it is active again.
 * @throws {TenantLifeError}
 */
export async function reopenTenant(
  unit: PlatformUnit,
  tenantId: Uuid,
  { by }: { by: Exclude<ClosedBy, 'organization'> },
): Promise<{ isActive: boolean }> {
  const { status, closed_by, status_before, organization_status } = await hold(unit, tenantId);
  if (status !== 'closing')
    throw new TenantLifeError(
      'tenant_not_closing',
      'The tenant is not closing: there is nothing to take back.',
    );
  if (by === 'tenant' && closed_by !== 'tenant')
    throw new TenantLifeError(
      'closed_by_operator',
      'An operator of the installation has closed the tenant; they reopen it.',
    );
  if (organization_status !== 'active')
    throw new TenantLifeError(
      'organization_closing',
      'The organization of the tenant is closing; reopen that first.',
    );
  await unit.sql(
    `UPDATE directory.tenants SET status = status_before, ${nothingLeftOfClosing} WHERE id = $1`,
    [tenantId],
  );
  return { isActive: status_before === 'active' };
}

/** What waited for the unit's tenant to be active again is due with this commit. */
export async function wakeTenant(unit: Unit, tenantId: Uuid): Promise<void> {
  await unit.sql(
    `UPDATE swarmgate.conversations SET waiting_for = NULL, due_at = clock_timestamp()
       WHERE tenant_id = $1 AND waiting_for = 'suspension'`,
    [tenantId],
  );
  await unit.sql(
    `UPDATE swarmgate.deliveries SET due_at = clock_timestamp()
       WHERE tenant_id = $1 AND state = 'pending' AND due_at > clock_timestamp() AND error_code = $2`,
    [tenantId, tenantClosingCode],
  );
}

/** What a delivery is put off with while its tenant is closing. */
export const tenantClosingCode = 'tenant_closing';

/**
 * Closes an organization with all of its tenants, those excepted that are closing already; it goes when the last of them has
 * gone. Answers the tenants that were closed now; `undefined`: it is closing already.
 */
export async function closeOrganization(
  unit: PlatformUnit,
  organizationId: Uuid,
  { graceMs }: { graceMs: number },
): Promise<Uuid[] | undefined> {
  const closed = await unit.sql(
    `UPDATE directory.organizations SET status = 'closing', closing_since = clock_timestamp(),
         delete_after = clock_timestamp() + $2 * interval '1 millisecond', version = version + 1, updated_at = now()
       WHERE id = $1 AND status = 'active' RETURNING id`,
    [organizationId, graceMs],
  );
  if (closed.length === 0) return undefined;
  const tenants = await unit.sql<{ id: Uuid }>(
    `UPDATE directory.tenants SET status = 'closing', status_before = status, closed_by = 'organization',
         closing_since = clock_timestamp(), delete_after = clock_timestamp() + $2 * interval '1 millisecond',
         version = version + 1, updated_at = now()
       WHERE organization_id = $1 AND status IN ('active', 'suspended') RETURNING id`,
    [organizationId, graceMs],
  );
  return tenants.map(({ id }) => id);
}

/**
 * Takes that back, for the organization and the tenants that were closed with it. Answers those; `undefined`: it is not
 * closing. What waits in them is woken by {@link wakeTenant}, in a unit of each.
 */
export async function reopenOrganization(
  unit: PlatformUnit,
  organizationId: Uuid,
): Promise<{ id: Uuid; isActive: boolean }[] | undefined> {
  const reopened = await unit.sql(
    `UPDATE directory.organizations SET status = 'active', closing_since = NULL, delete_after = NULL,
         version = version + 1, updated_at = now()
       WHERE id = $1 AND status = 'closing' AND delete_after > clock_timestamp() RETURNING id`,
    [organizationId],
  );
  if (reopened.length === 0) return undefined;
  return unit.sql<{ id: Uuid; isActive: boolean }>(
    `UPDATE directory.tenants SET status = status_before, ${nothingLeftOfClosing}
       WHERE organization_id = $1 AND status = 'closing' AND closed_by = 'organization'
       RETURNING id, status = 'active' AS "isActive"`,
    [organizationId],
  );
}

const nothingLeftOfClosing =
  'status_before = NULL, closed_by = NULL, closing_since = NULL, delete_after = NULL, version = version + 1, updated_at = now()';

async function hold(unit: PlatformUnit, tenantId: Uuid) {
  const [row] = await unit.sql<{
    status: TenantStatus;
    closed_by: ClosedBy | null;
    status_before: TenantStatus | null;
    organization_status: string;
  }>(
    `SELECT t.status, t.closed_by, t.status_before, o.status AS organization_status
       FROM directory.tenants t JOIN directory.organizations o ON o.id = t.organization_id WHERE t.id = $1 FOR UPDATE OF t`,
    [tenantId],
  );
  if (!row) throw new TypeError('Whoever closes or reopens a tenant has found it before.');
  return row;
}
