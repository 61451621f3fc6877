import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { addMember, changeMemberRole, listMembers, removeMember } from '#identity/members/members.ts';
import type { RoleChoice } from '#identity/members/role-choice.ts';
import { findUser } from '#identity/people/users.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';
import { isBuiltinRole } from './api-keys.ts';

/** What an operator asks about the members of a tenant, which they name by its slug. */
export type MembersWish = { tenant: string } & (
  | { act: 'list' }
  | { act: 'add'; email: string; role: string }
  | { act: 'remove'; email: string }
);

export type ListedMember = { id: string; email: string; name: string; status: string; role: string };

/** It was not done; the message says why. */
class MemberRefusedError extends AppError<'member_refused'> {
  override readonly name = 'MemberRefusedError';

  constructor(message: string) {
    super('member_refused', message);
  }
}

/** Does it, and tells the tenant's audit trail of it. Adding who is a member already gives them that role. */
export async function operateMembers(
  { scopes, keyRing }: Storage,
  wish: MembersWish,
): Promise<ListedMember[]> {
  const parts = { scopes, audit: createAuditTrail({ scopes, keyRing }) };
  const tenantId = await scopes.inPlatform((unit) => enterTenant(unit, wish.tenant));
  if (wish.act !== 'list') {
    const { id: userId } = await scopes.inIdentity((unit) => findUser(unit, wish.email));
    const by = { kind: 'operator' } as const;
    if (wish.act === 'remove') refuse(await removeMember(parts, { tenantId, userId, by }));
    else {
      const role = await roleOf(scopes, tenantId, wish.role);
      if (!(await addMember(parts, { tenantId, userId, role })))
        refuse(await changeMemberRole(parts, { tenantId, userId, role, by }));
    }
  }
  return (await listMembers(parts, tenantId)).map(({ userId, email, name, status, roleName }) => ({
    ...{ id: toWire('user', userId), email, name, status, role: roleName },
  }));
}

async function roleOf(scopes: Scopes, tenantId: Uuid, name: string): Promise<RoleChoice> {
  if (isBuiltinRole(name)) return { builtin: name satisfies BuiltinRole };
  const [role] = await scopes.inTenant(tenantId, (unit) =>
    unit.sql<{ id: Uuid }>('SELECT id FROM swarmgate.roles WHERE slug = $1 AND tenant_id = $2', [
      name,
      tenantId,
    ]),
  );
  if (!role)
    throw new MemberRefusedError(
      `There is no role "${name.slice(0, 100)}" in this tenant; built in are owner, admin, member and viewer.`,
    );
  return { roleId: role.id };
}

function refuse({ outcome }: { outcome: string }): void {
  if (outcome === 'done') return;
  throw new MemberRefusedError(
    outcome === 'last_owner'
      ? 'They are the last owner of the tenant: make somebody else owner first.'
      : outcome === 'unknown_member'
        ? 'They are no member of this tenant.'
        : `It was refused: ${outcome}.`,
  );
}
