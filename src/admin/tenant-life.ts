import type { tenantOperations } from '@swarmgate/contract/rest/tenants.ts';
import { type AuditEvent, type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { toWire } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import type { Principal } from '#identity/principal.ts';
import type { PlatformUnit, Scopes } from '#tenancy/scopes.ts';
import { closeTenant, reopenTenant, TenantLifeError, wakeTenant } from '#tenancy/tenant-life.ts';
import type { Asked, HandlersOf } from './handler.ts';
import { conflict } from './refusals.ts';
import { createRefuseAbsent } from './refuse-absent.ts';
import { readTenantRow, versioned } from './tenants.ts';
import { refuseOtherVersion } from './versions.ts';

export type TenantLifeParts = {
  scopes: Scopes;
  trail: AuditTrail;
  people: () => Pick<Identity, 'hasShownFactor'>;
  /** How long a tenant that was closed can be reopened. */
  graceMs: number;
};

type Life = Pick<typeof tenantOperations, 'closeTenant' | 'reopenTenant'>;
type AskedOfTenant = Pick<Asked, 'tenantId' | 'principal' | 'client' | 'grant' | 'seenVersion'>;

/** Closing a tenant and taking that back: by its owners, and by operators. Both trails tell, in the commit that does it. */
export function tenantLifeHandlers({ scopes, trail, people, graceMs }: TenantLifeParts): HandlersOf<Life> {
  // What is dear to undo is done by a person who is there.
  const refuseAbsent = createRefuseAbsent(people, 'A tenant is closed and reopened');

  async function change(
    asked: AskedOfTenant,
    action: keyof Life,
    work: (
      unit: PlatformUnit,
      by: 'tenant' | 'operator',
    ) => Promise<{ detail?: object; wakes?: boolean } | undefined>,
  ) {
    const { tenantId, principal, client, grant } = asked;
    const { requestId, ...personal } = client;
    const event: AuditEvent = {
      actor: { kind: principal.kind, id: principal.id },
      action,
      permission: 'tenant:admin',
      resource: { kind: 'tenant', id: toWire('tenant', tenantId) },
      outcome: 'allowed',
      reason: `tenant:admin is permitted by ${grant.source}.`,
      ...(requestId !== undefined && { requestId }),
      personal,
    };
    const told = await trail.prepare(tenantId, event);
    const toldInstallation = await trail.prepare(installationTrail, event);
    const by = isWholeOperator(principal) ? 'operator' : 'tenant';
    return scopes.inPlatform(async (unit) => {
      refuseOtherVersion((await readTenantRow(unit, tenantId, 'FOR UPDATE')).version, asked.seenVersion);
      const changed = await work(unit, by);
      const answer = versioned(await readTenantRow(unit, tenantId));
      if (!changed) return answer;
      const detail = { by, ...changed.detail };
      await trail.append(unit, installationTrail, { ...toldInstallation, detail });
      await unit.becomeTenant(tenantId);
      if (changed.wakes) await wakeTenant(unit, tenantId);
      await trail.append(unit, tenantId, { ...told, detail });
      return answer;
    });
  }

  const explain = async (_asked: unknown, error: unknown) =>
    error instanceof TenantLifeError ? conflict(error.code, error.message) : error;

  return {
    closeTenant: {
      isForAnyStatus: true,
      before: refuseAbsent,
      tellsItself: (asked) =>
        change(asked, 'closeTenant', async (unit, by) =>
          (await closeTenant(unit, asked.tenantId, { by, graceMs }))
            ? { detail: { deleteAfter: (await readTenantRow(unit, asked.tenantId)).delete_after } }
            : undefined,
        ),
      explain,
    },
    reopenTenant: {
      isForAnyStatus: true,
      before: refuseAbsent,
      tellsItself: (asked) =>
        change(asked, 'reopenTenant', async (unit, by) => {
          const { isActive } = await reopenTenant(unit, asked.tenantId, { by });
          return { wakes: isActive };
        }),
      explain,
    },
  };
}

// A token for one tenant, or within a scope, is of whoever has a place there, whatever else they are.
function isWholeOperator(principal: Principal): boolean {
  return principal.kind === 'user' && principal.isOperator && !principal.tenantId && !principal.scope;
}
