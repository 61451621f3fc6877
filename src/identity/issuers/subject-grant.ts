import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type HeldRoles, permissionsOf, rolesOf, within } from '../grants.ts';
import type { Grant, HeldRole } from '../principal.ts';
import { type IssuedRole, isBuiltinRole, type TokenAlgorithm } from './token-issuers.ts';

/** An issuer that a tenant takes tokens of, as it is found for one that comes: with the tenant's own roles. */
export type FoundIssuer = {
  id: Uuid;
  name: string;
  issuer: string;
  audience: string;
  jwksUrl: string | null;
  algorithms: TokenAlgorithm[];
  roleClaim: string | null;
  roleMap: { value: string; role: IssuedRole }[];
  defaultRole: IssuedRole | null;
  requiredClaims: { claim: string; value: string | number | boolean }[];
  sealedSubjectKey: string;
  organizationId: Uuid;
  ownRoles: Readonly<Record<string, { name: string; permissions: string[] }>> | null;
  /** What the member is in the tenant who registered it or has changed it last; null: nobody any more. */
  keeper: HeldRoles | null;
};

/** Whether whoever keeps an issuer belongs to the tenant still: without them its tokens are good for nothing. */
export function isKept({ keeper }: FoundIssuer): boolean {
  return keeper !== null && rolesOf(keeper).length > 0;
}

/**
 * What the holder of a token may do: what the roles permit that its issuer's mapping has for what it says, else the default
 * role, within what the issuer's keeper may do now. `undefined`: nothing; and a role that is gone is none.
 */
export function grantOfSubject(found: FoundIssuer, said: readonly string[]): Grant | undefined {
  const mapped = found.roleMap.filter(({ value }) => said.includes(value)).map(({ role }) => role);
  const named = mapped.length > 0 ? mapped : found.defaultRole === null ? [] : [found.defaultRole];
  const roles = [...new Set(named)].flatMap((role) => heldRole(found, role) ?? []);
  if (roles.length === 0 || found.keeper === null || !isKept(found)) return undefined;
  const source = `the role ${roles.map(({ name }) => name).join(' and ')} by the token issuer "${found.name}"`;
  const keepers = permissionsOf(rolesOf(found.keeper));
  return within({ permissions: permissionsOf(roles), source }, keepers, source);
}

/** The same at this moment, in a unit of the tenant; `undefined`: the issuer is good no more. */
export async function readSubjectGrant(
  unit: Unit,
  tenantId: Uuid,
  { issuerId, issuer, said }: { issuerId: Uuid; issuer: string; said: readonly string[] },
): Promise<Grant | undefined> {
  const [row] = await unit.sql<{ found: FoundIssuer[] | null }>(
    'SELECT swarmgate.describe_token_issuers($1, $2) AS found',
    [tenantId, issuer],
  );
  const found = row?.found?.find(({ id }) => id === issuerId);
  return found && grantOfSubject(found, said);
}

function heldRole({ ownRoles }: FoundIssuer, role: IssuedRole): HeldRole | undefined {
  if (isBuiltinRole(role)) return { kind: 'builtin', name: role };
  const own = ownRoles?.[role];
  return own && { kind: 'own', ...own };
}
