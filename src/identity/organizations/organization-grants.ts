import type { OrganizationRole } from '@swarmgate/contract/rest/organization-permissions.ts';
import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { type AskedOfEverybody, missingOf } from '../grants.ts';
import type { OrganizationGrant, Principal } from '../principal.ts';
import {
  isOrganizationAdminLevel,
  operatorsOrganizationPermissions,
  permissionsOfOrganizationRole,
} from './organization-roles.ts';

export interface OrganizationGrants {
  /**
   * What a principal may do with an organization; `undefined`: it is none of theirs. Keys and tokens for one tenant are of
   * what is below it, and a token's scope names nothing of it. A second factor is asked for as in its tenants, and so is the
   * single sign-on.
   */
  grantFor(principal: Principal, organizationId: Uuid): Promise<OrganizationGrant | undefined>;
}

type GrantRow = AskedOfEverybody & { role: OrganizationRole };

/** How late it may be noticed that somebody's role was changed or taken away. */
const validMsDefault = 1_000;
const knownMax = 10_000;

export function createOrganizationGrants(
  scopes: Pick<Scopes, 'call'>,
  { validMs = validMsDefault }: { validMs?: number } = {},
): OrganizationGrants {
  const known = createExpiringCache<GrantRow | undefined>(validMs, knownMax);

  const find = (userId: Uuid, organizationId: Uuid) =>
    known(`${organizationId}:${userId}`, async () => {
      const [row] = await scopes.call<{ find_organization_grant_v1: GrantRow | null }>(
        'identity.find_organization_grant_v1',
        [organizationId, userId],
      );
      return row?.find_organization_grant_v1 ?? undefined;
    });

  return {
    async grantFor(principal, organizationId) {
      if (principal.kind !== 'user' || principal.tenantId !== undefined) return undefined;
      if ((principal.organizationId ?? organizationId) !== organizationId) return undefined;
      const row = await find(principal.id, organizationId);
      if (!row) return principal.isOperator && !principal.scope ? operatorsGrant : undefined;
      const held = grantOfRow(row);
      if (principal.scope) return nothingOf(held, ', which the scope of the token names nothing of');
      if (principal.isOperator) return operatorsGrant;
      const isAdmin = principal.isSecondFactorAsked && isOrganizationAdminLevel(held.permissions);
      const until = missingOf(row, principal, isAdmin);
      return until === undefined ? held : nothingOf(held, ` ${until}`);
    },
  };
}

/** The same within a unit of the organization or of people: what holds as long as the transaction does, and nothing older. */
export async function readOrganizationGrant(
  unit: Unit,
  organizationId: Uuid,
  userId: Uuid,
): Promise<OrganizationGrant | undefined> {
  const [row] = await unit.sql<{ grant: GrantRow | null }>(
    'SELECT identity.describe_organization_grant($1, $2) AS "grant"',
    [organizationId, userId],
  );
  return row?.grant ? grantOfRow(row.grant) : undefined;
}

const operatorsGrant: OrganizationGrant = {
  permissions: operatorsOrganizationPermissions,
  source: 'being an operator of the installation',
};

function grantOfRow({ role }: GrantRow): OrganizationGrant {
  return { permissions: permissionsOfOrganizationRole(role), source: `the role ${role} of the organization` };
}

function nothingOf({ source }: OrganizationGrant, why: string): OrganizationGrant {
  return { permissions: new Set(), source: `${source}${why}` };
}
