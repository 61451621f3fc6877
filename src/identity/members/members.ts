import type { BuiltinRole, Permission } from '@swarmgate/contract/rest/permissions.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireConfirmed } from '../people/confirm-address.ts';
import { columnsOf, type Granter, lackedByGranter, type RoleChoice, readRole } from './role-choice.ts';

export type Member = {
  userId: Uuid;
  email: string;
  name: string;
  status: 'active' | 'disabled';
  role: RoleChoice;
  /** What the role is called: a built-in one's name, or the slug of the tenant's own. */
  roleName: string;
  version: number;
  since: Date;
};

export type MemberOutcome =
  | { outcome: 'done' }
  | { outcome: 'unknown_member' | 'unknown_role' }
  /** The membership is not of the version that was looked at. */
  | { outcome: 'changed_meanwhile' }
  /** Somebody has to remain who can do everything. */
  | { outcome: 'last_owner' }
  | { outcome: 'beyond_own_rights'; lacked: Permission[] };

type MemberParts = Pick<IdentityParts, 'scopes' | 'audit'>;

/** The members of a tenant, by address. Those who run its organization are none by that. */
export async function listMembers(
  { scopes }: Pick<IdentityParts, 'scopes'>,
  tenantId: Uuid,
): Promise<Member[]> {
  type Row = Omit<Member, 'userId' | 'role' | 'roleName'> &
    MembershipRow & { user_id: Uuid; slug: string | null };
  const rows = await scopes.inTenant(tenantId, (unit) =>
    unit.sql<Row>(
      `SELECT m.user_id, u.email, u.name, u.status, m.builtin_role, m.role_id, m.version, r.slug, m.created_at AS since
         FROM identity.memberships m JOIN identity.users u ON u.id = m.user_id
         LEFT JOIN swarmgate.roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
         WHERE m.tenant_id = $1 ORDER BY u.email`,
      [tenantId],
    ),
  );
  return rows.map(({ user_id, builtin_role, role_id, slug, ...row }) => ({
    ...row,
    userId: user_id,
    role: choiceOf({ builtin_role, role_id }),
    roleName: builtin_role ?? slug ?? '',
  }));
}

/**
 * Makes a user a member without asking them: what an operator does. `false`: they are one already.
 * @throws {UnconfirmedAddressError}
 */
export async function addMember(
  { scopes, audit }: MemberParts,
  { tenantId, userId, role }: { tenantId: Uuid; userId: Uuid; role: RoleChoice },
): Promise<boolean> {
  const event = await audit.prepare(tenantId, {
    actor: { kind: 'operator' },
    action: 'member.added',
    resource: { kind: 'members', id: toWire('user', userId) },
    outcome: 'allowed',
  });
  return scopes.inIdentity(async (unit) => {
    await requireConfirmed(unit, { id: userId });
    const added = await unit.sql(
      `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role, role_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING 1 AS added`,
      [tenantId, userId, ...columnsOf(role)],
    );
    if (added.length === 0) return false;
    await unit.becomeTenant(tenantId);
    await audit.append(unit, tenantId, event);
    return true;
  });
}

/** Gives a member another role. */
export function changeMemberRole(
  parts: MemberParts,
  wish: { tenantId: Uuid; userId: Uuid; role: RoleChoice; by: Granter; ifVersion?: number },
  client?: Client,
): Promise<MemberOutcome> {
  return changeMember(parts, wish, 'member.role_changed', client);
}

/** Ends a membership; anybody may end their own. */
export function removeMember(
  parts: MemberParts,
  wish: { tenantId: Uuid; userId: Uuid; by: Granter; ifVersion?: number },
  client?: Client,
): Promise<MemberOutcome> {
  return changeMember(parts, wish, 'member.removed', client);
}

async function changeMember(
  { scopes, audit }: MemberParts,
  {
    tenantId,
    userId,
    role,
    by,
    ifVersion,
  }: { tenantId: Uuid; userId: Uuid; role?: RoleChoice; by: Granter; ifVersion?: number },
  action: string,
  client?: Client,
): Promise<MemberOutcome> {
  const isLeaving = !role && by.kind === 'user' && by.id === userId;
  const event = await audit.prepare(tenantId, {
    actor: by,
    action,
    ...(!isLeaving && { permission: 'members:write' }),
    resource: { kind: 'members', id: toWire('user', userId) },
    outcome: 'allowed',
    ...(client && tracesOf(client)),
  });
  return scopes.inTenant(tenantId, async (unit): Promise<MemberOutcome> => {
    const owners = await lockOwners(unit, tenantId);
    const [row] = await unit.sql<MembershipRow & { version: number }>(
      'SELECT builtin_role, role_id, version FROM identity.memberships WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE',
      [tenantId, userId],
    );
    if (!row) return { outcome: 'unknown_member' };
    if (ifVersion !== undefined && ifVersion !== row.version) return { outcome: 'changed_meanwhile' };
    const [held, wanted] = [await readRole(unit, choiceOf(row)), role && (await readRole(unit, role))];
    if (!held || (role && !wanted)) return { outcome: 'unknown_role' };
    const lacked = isLeaving
      ? []
      : await lackedByGranter(unit, tenantId, by, wanted ? [held, wanted] : [held]);
    if (lacked.length > 0) return { outcome: 'beyond_own_rights', lacked };
    const remainsOwner = role && 'builtin' in role && role.builtin === 'owner';
    if (row.builtin_role === 'owner' && !remainsOwner && owners.every((owner) => owner === userId))
      return { outcome: 'last_owner' };

    if (role) await keepRole(unit, tenantId, userId, role);
    else
      await unit.sql('DELETE FROM identity.memberships WHERE tenant_id = $1 AND user_id = $2', [
        tenantId,
        userId,
      ]);
    await audit.append(unit, tenantId, {
      ...event,
      detail: { from: held.name, ...(wanted && { to: wanted.name }) },
    });
    return { outcome: 'done' };
  });
}

// All owners are locked, in one order: of two who make each other less at the same moment, the other finds the one owner
// that is left. Somebody who is disabled does not count.
async function lockOwners(unit: Unit, tenantId: Uuid): Promise<Uuid[]> {
  const rows = await unit.sql<{ user_id: Uuid }>(
    `SELECT user_id FROM identity.memberships WHERE tenant_id = $1 AND builtin_role = 'owner' ORDER BY user_id FOR UPDATE`,
    [tenantId],
  );
  const active = await unit.sql<{ id: Uuid }>(
    `SELECT id FROM identity.users WHERE id = ANY ($1::uuid[]) AND status = 'active'`,
    [rows.map(({ user_id }) => user_id)],
  );
  return active.map(({ id }) => id);
}

async function keepRole(unit: Unit, tenantId: Uuid, userId: Uuid, role: RoleChoice): Promise<void> {
  await unit.sql(
    `UPDATE identity.memberships SET builtin_role = $3, role_id = $4, version = version + 1, updated_at = now()
       WHERE tenant_id = $1 AND user_id = $2`,
    [tenantId, userId, ...columnsOf(role)],
  );
}

type MembershipRow = { builtin_role: BuiltinRole | null; role_id: Uuid | null };

function choiceOf({ builtin_role, role_id }: MembershipRow): RoleChoice {
  return role_id === null ? { builtin: builtin_role ?? 'viewer' } : { roleId: role_id };
}
