import { type TenantKind, tenantKinds } from './load-plan.ts';
import type { RunTenant } from './run-tenant.ts';
import { makeSlackTenant } from './slack-tenant.ts';
import type { Stage } from './stage.ts';
import { makeWebTenant } from './web-tenant.ts';

/**
 * The tenants of a run: new ones, but for the one with Socket Mode. That one is made once, because its socket would stay
 * open for all later runs; people and channels are new there too.
 */
export async function makeTenants(stage: Stage, runName: string): Promise<RunTenant[]> {
  const tenants: RunTenant[] = [];
  // One after the other: the first one makes their organization.
  for (const kind of tenantKinds) tenants.push(await makeTenant(stage, kind, runName));
  return tenants;
}

const lasting = new WeakMap<Stage, RunTenant>();

async function makeTenant(stage: Stage, kind: TenantKind, runName: string): Promise<RunTenant> {
  switch (kind) {
    case 'echo':
    case 'model':
      return makeSlackTenant(stage, kind, `${kind}-${runName}`);
    case 'web':
      return makeWebTenant(stage, `web-${runName}`);
    case 'socket': {
      const known = lasting.get(stage) ?? (await makeSlackTenant(stage, kind, 'socket-lasting'));
      lasting.set(stage, known);
      return known;
    }
  }
}
