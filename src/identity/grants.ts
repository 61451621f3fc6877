import { type BuiltinRole, type Permission, permissions } from '@swarmgate/contract/rest/permissions.ts';
import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import type { Grant, HeldRole, Principal } from './principal.ts';
import { builtinPermissions, expandPermissions } from './roles.ts';

/** What somebody may do in a tenant, and as what. */
export type HeldGrant = Grant & {
  roles: readonly HeldRole[];
  organizationId: Uuid;
  /** Whether the organization asks everybody for a second factor, whatever their role. */
  requiresSecondFactor: boolean;
  /** Whether it takes nobody who came with a password. */
  requiresSingleSignOn: boolean;
};

export interface Grants {
  /** What somebody may do in a tenant, however they have signed in; `undefined`: the tenant is none of theirs. */
  grantOf(userId: Uuid, tenantId: Uuid): Promise<HeldGrant | undefined>;
  /**
   * What a principal may do there: no more than their credential lets them. Who may do what admins do, where that is asked
   * for, and everybody in an organization that asks for it, may do nothing before a second factor was shown, nor after a
   * password where the organization takes none; that they belong there is no secret to them, and the grant's source tells what
   * is missing. Who came by an organization's provider belongs nowhere else.
   */
  grantFor(principal: Principal, tenantId: Uuid): Promise<Grant | undefined>;
}

/** How late it may be noticed that somebody's role was changed or taken away. */
const validMsDefault = 1_000;
const knownMax = 20_000;

export function createGrants(
  scopes: Pick<Scopes, 'call'>,
  { validMs = validMsDefault }: { validMs?: number } = {},
): Grants {
  const known = createExpiringCache<HeldGrant | undefined>(validMs, knownMax);

  const grantOf = (userId: Uuid, tenantId: Uuid) =>
    known(`${tenantId}:${userId}`, async () => {
      const [row] = await scopes.call<{ find_grant_v1: GrantRow | null }>('swarmgate.find_grant_v1', [
        tenantId,
        userId,
      ]);
      return row?.find_grant_v1 ? grantOfRow(row.find_grant_v1) : undefined;
    });

  return {
    grantOf,
    async grantFor(principal, tenantId) {
      if (principal.tenantId !== undefined && principal.tenantId !== tenantId) return undefined;
      if (principal.kind !== 'user') return principal.grant;
      const held = await grantOf(principal.id, tenantId);
      const { organizationId, isOperator, scope } = principal;
      if (organizationId !== undefined && held?.organizationId !== organizationId) return undefined;
      if (!held) return isOperator && !scope ? operatorsGrant : undefined;
      const until = missingOf(
        held,
        principal,
        principal.isSecondFactorAsked && isAdminLevel(held.permissions),
      );
      const given = until ? { permissions: noPermissions, source: `${held.source} ${until}` } : held;
      if (!scope) return isOperator ? together(given, operatorsGrant) : given;
      return withinScope(given, scope);
    },
  };
}

const noPermissions: ReadonlySet<Permission> = new Set();

/** What an organization asks of everybody in it. */
export type AskedOfEverybody = { requiresSecondFactor: boolean; requiresSingleSignOn: boolean };

/** Until when somebody may do nothing, in words; `undefined`: they have shown what is asked of them. */
export function missingOf(
  asked: AskedOfEverybody,
  {
    hasSecondFactor,
    isByOwnFactor,
  }: Pick<Extract<Principal, { kind: 'user' }>, 'hasSecondFactor' | 'isByOwnFactor'>,
  isAskedAsAdmin: boolean,
): string | undefined {
  if (asked.requiresSingleSignOn && isByOwnFactor)
    return 'until they sign in by the single sign-on of the organization, which takes no passwords';
  if (hasSecondFactor) return undefined;
  if (asked.requiresSecondFactor)
    return 'until a second factor is shown, which the organization asks of everybody';
  return isAskedAsAdmin ? 'until a second factor is shown' : undefined;
}

// An operator looks after tenants, and sees nothing of what is said in one.
const operatorsGrant: Grant = {
  permissions: expandPermissions([
    'tenant:admin',
    'quotas:admin',
    'settings:read',
    'usage:read',
    'members:read',
  ] satisfies Permission[]),
  source: 'being an operator of the installation',
};

function together(one: Grant, other: Grant): Grant {
  return {
    permissions: new Set([...one.permissions, ...other.permissions]),
    source: `${one.source} and ${other.source}`,
  };
}

/** The same within a unit of the tenant's own: what holds there as long as the transaction does, and nothing older. */
export async function readGrant(unit: Unit, tenantId: Uuid, userId: Uuid): Promise<HeldGrant | undefined> {
  const [row] = await unit.sql<{ grant: GrantRow | null }>(
    'SELECT swarmgate.describe_grant($1, $2) AS "grant"',
    [tenantId, userId],
  );
  return row?.grant ? grantOfRow(row.grant) : undefined;
}

/** A grant within the scope of a token; without one, all of it. */
export function withinScope(grant: Grant, scope: ReadonlySet<Permission> | undefined): Grant {
  return scope ? within(grant, scope, `${grant.source}, within the scope of the token`) : grant;
}

/** No more of a grant than is within a bound. */
export function within(grant: Grant, bound: ReadonlySet<Permission>, source: string): Grant {
  return { permissions: new Set([...grant.permissions].filter((one) => bound.has(one))), source };
}

/** Which of some permissions a grant lacks. Nobody gives away what they do not hold. */
export function lackedBy<Permissions extends string>(
  grant: Grant<Permissions> | undefined,
  wanted: Iterable<Permissions>,
): Permissions[] {
  return [...wanted].filter((permission) => !grant?.permissions.has(permission));
}

/** What a role permits, with all that it includes. */
export function permissionsOfRole(role: HeldRole): ReadonlySet<Permission> {
  return expandPermissions(role.kind === 'builtin' ? builtinPermissions[role.name] : role.permissions);
}

// To decide over others' access, or over what is dear to undo, is what admins do.
const adminsWrite: ReadonlySet<Permission> = new Set([
  'api-keys:write',
  'members:write',
  'roles:write',
  'tenant:write',
  'token-issuers:write',
  'webhooks:write',
]);
const adminPermissions = permissions.filter((one) => one.endsWith(':admin') || adminsWrite.has(one));

function isAdminLevel(held: ReadonlySet<Permission>): boolean {
  return adminPermissions.some((one) => held.has(one));
}

/** As what somebody stands in the database: by membership, and by the tenant's organization. */
export type HeldRoles = {
  builtinRole: BuiltinRole | null;
  roleName: string | null;
  rolePermissions: string[] | null;
  organizationRole: string | null;
};

type GrantRow = HeldRoles & AskedOfEverybody & { organizationId: Uuid };

// Owners and admins of the organization are that in each of its tenants; its other roles are nothing in any.
const throughOrganization: Readonly<Record<string, BuiltinRole>> = { owner: 'owner', admin: 'admin' };

/** The roles that somebody has in a tenant; none: it is none of theirs. */
export function rolesOf(row: HeldRoles): HeldRole[] {
  const own: HeldRole[] =
    row.roleName === null
      ? []
      : [{ kind: 'own', name: row.roleName, permissions: row.rolePermissions ?? [] }];
  const above = throughOrganization[row.organizationRole ?? ''];
  return [
    ...(row.builtinRole === null ? own : [{ kind: 'builtin' as const, name: row.builtinRole }]),
    ...(above ? [{ kind: 'builtin' as const, name: above }] : []),
  ];
}

/** What some roles permit together. */
export function permissionsOf(roles: readonly HeldRole[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap((role) => [...permissionsOfRole(role)]));
}

function grantOfRow(row: GrantRow): HeldGrant | undefined {
  const roles = rolesOf(row);
  if (roles.length === 0) return undefined;
  const isThroughOrganization = (index: number) =>
    index === roles.length - 1 && throughOrganization[row.organizationRole ?? ''] !== undefined;
  const sources = roles.map(({ kind, name }, index) =>
    kind === 'own'
      ? `the tenant's role ${name}`
      : `the role ${name}${isThroughOrganization(index) ? ' of the organization' : ''}`,
  );
  return {
    permissions: permissionsOf(roles),
    source: sources.join(' and '),
    roles,
    organizationId: row.organizationId,
    requiresSecondFactor: row.requiresSecondFactor,
    requiresSingleSignOn: row.requiresSingleSignOn,
  };
}
