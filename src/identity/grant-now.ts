import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { readGrant, within, withinScope } from './grants.ts';
import { readSubjectGrant } from './issuers/subject-grant.ts';
import type { Grant, Principal } from './principal.ts';

/**
 * What a principal may do in a tenant at this moment, read in a unit of it: for whoever hands on what they hold, so that it
 * is no second old. `undefined`: nothing any more.
 */
export async function grantNow(unit: Unit, tenantId: Uuid, principal: Principal): Promise<Grant | undefined> {
  switch (principal.kind) {
    case 'token_subject':
      return readSubjectGrant(unit, tenantId, principal);
    case 'api_key': {
      if (principal.makerId === undefined) return principal.grant;
      const makers = await readGrant(unit, tenantId, principal.makerId);
      return makers && within(principal.grant, makers.permissions, principal.grant.source);
    }
    case 'user': {
      const held = await readGrant(unit, tenantId, principal.id);
      return held && withinScope(held, principal.scope);
    }
  }
}
