import type { BuiltinRole, Permission } from '@swarmgate/contract/rest/permissions.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { lackedBy, permissionsOfRole, readGrant, withinScope } from '../grants.ts';
import type { HeldRole } from '../principal.ts';

/** A role that is given to somebody: a built-in one, or one of the tenant's own. */
export type RoleChoice = { builtin: BuiltinRole } | { roleId: Uuid };

/** Who gives: a person, by what they may do in the tenant themselves, or an operator of the installation. API keys do not. */
export type Granter =
  /** `scope`: what the token that they act by is limited to. */
  { kind: 'user'; id: Uuid; scope?: ReadonlySet<Permission> } | { kind: 'operator' };

/** The columns that a choice is kept in. */
export function columnsOf(choice: RoleChoice): [builtinRole: BuiltinRole | null, roleId: Uuid | null] {
  return 'builtin' in choice ? [choice.builtin, null] : [null, choice.roleId];
}

/** What is chosen, within a unit of the tenant's; `undefined`: it has no such role. */
export async function readRole(unit: Unit, choice: RoleChoice): Promise<HeldRole | undefined> {
  if ('builtin' in choice) return { kind: 'builtin', name: choice.builtin };
  const [row] = await unit.sql<{ slug: string; permissions: string[] }>(
    'SELECT slug, permissions FROM swarmgate.roles WHERE id = $1 AND tenant_id = swarmgate.current_tenant()',
    [choice.roleId],
  );
  return row && { kind: 'own', name: row.slug, permissions: row.permissions };
}

/**
 * What the granter lacks of what these roles permit, read within the unit that gives them: nobody makes somebody more than
 * they are, nor takes from somebody what they could not give.
 */
export async function lackedByGranter(
  unit: Unit,
  tenantId: Uuid,
  granter: Granter,
  roles: readonly HeldRole[],
): Promise<Permission[]> {
  if (granter.kind === 'operator') return [];
  const held = await readGrant(unit, tenantId, granter.id);
  const grant = held && withinScope(held, granter.scope);
  const wanted = new Set<Permission>([
    'members:write',
    ...roles.flatMap((role) => [...permissionsOfRole(role)]),
  ]);
  return lackedBy(grant, wanted);
}
