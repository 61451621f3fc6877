import type { Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from './scopes.ts';

/**
 * Suspends a tenant: its webhooks are answered and what comes in is kept, but nothing begins. What is being answered or
 * delivered at this moment ends. `false`: it was not going on.
 */
export function suspendTenant(unit: PlatformUnit, tenantId: Uuid): Promise<boolean> {
  return setStatus(unit, tenantId, 'active', 'suspended');
}

/** Lets it go on. What waits for that is woken by {@link wakeSuspended}, in the same unit. `false`: it was not suspended. */
export function resumeTenant(unit: PlatformUnit, tenantId: Uuid): Promise<boolean> {
  return setStatus(unit, tenantId, 'suspended', 'active');
}

/** What waited for the unit's tenant to go on is due with this commit. */
export async function wakeSuspended(unit: Unit, tenantId: Uuid): Promise<void> {
  await unit.sql(
    `UPDATE swarmgate.conversations SET waiting_for = NULL, due_at = clock_timestamp()
       WHERE tenant_id = $1 AND waiting_for = 'suspension'`,
    [tenantId],
  );
}

// A tenant that is being closed stays so.
async function setStatus(unit: PlatformUnit, tenantId: Uuid, from: string, to: string): Promise<boolean> {
  const set = await unit.sql(
    `UPDATE directory.tenants SET status = $3, version = version + 1, updated_at = now() WHERE id = $1 AND status = $2 RETURNING id`,
    [tenantId, from, to],
  );
  return set.length > 0;
}
