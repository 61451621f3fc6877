import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { decideGrant } from '#identity/decide.ts';
import { grantNow } from '#identity/grant-now.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Asked } from './handler.ts';
import { forbidden } from './refusals.ts';

/**
 * Refuses to hand on what whoever asks does not hold, and did not hold when it was decided that they may ask. It is read in
 * the unit that hands it on: somebody who was demoted a moment ago does not undo that. @throws {ProblemError} 403
 */
export async function refuseMore(
  unit: Unit,
  { tenantId, principal, grant }: Pick<Asked, 'tenantId' | 'principal' | 'grant'>,
  permissions: readonly Permission[],
): Promise<void> {
  for (const held of [grant, await grantNow(unit, tenantId, principal)]) {
    const decision = held
      ? decideGrant(held, permissions)
      : { allowed: false, reason: 'They have no access to this tenant any more.' };
    if (!decision.allowed) throw forbidden(decision.reason);
  }
}
