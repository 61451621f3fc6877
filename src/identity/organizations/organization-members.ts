import type {
  OrganizationPermission,
  OrganizationRole,
} from '@swarmgate/contract/rest/organization-permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import { lackedBy } from '../grants.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireConfirmed } from '../people/confirm-address.ts';
import { findUser } from '../people/users.ts';
import { readOrganizationGrant } from './organization-grants.ts';
import { permissionsOfOrganizationRole } from './organization-roles.ts';

export type OrganizationMember = {
  userId: Uuid;
  email: string;
  name: string;
  status: 'active' | 'disabled';
  role: OrganizationRole;
  version: number;
  since: Date;
};

/** Who gives and takes: a member, by what they are in the organization themselves, or an operator of the installation. */
export type OrganizationGranter = { kind: 'user'; id: Uuid } | { kind: 'operator'; id?: Uuid };

export type OrganizationMemberOutcome =
  | { outcome: 'done' }
  | { outcome: 'unknown_member' }
  /** The membership is not of the version that was looked at. */
  | { outcome: 'changed_meanwhile' }
  /** Somebody has to remain who can do everything. */
  | { outcome: 'last_owner' }
  | { outcome: 'beyond_own_rights'; lacked: OrganizationPermission[] };

type MemberParts = Pick<IdentityParts, 'scopes' | 'audit'>;

/** The members of an organization, by address. */
export function listOrganizationMembers(
  { scopes }: Pick<IdentityParts, 'scopes'>,
  organizationId: Uuid,
): Promise<OrganizationMember[]> {
  return scopes.inOrganization(organizationId, (unit) =>
    unit.sql<OrganizationMember>(
      `SELECT m.user_id AS "userId", u.email, u.name, u.status, m.role, m.version, m.created_at AS since
         FROM identity.organization_members m JOIN identity.users u ON u.id = m.user_id
         WHERE m.organization_id = $1 ORDER BY u.email`,
      [organizationId],
    ),
  );
}

/**
 * Makes somebody who has an account a member without asking them: what an operator does. `undefined`: they are one already.
 * @throws {UnknownUserError | UnconfirmedAddressError}
 */
export async function addOrganizationMember(
  { scopes, audit }: MemberParts,
  {
    organizationId,
    email,
    role,
    by = { kind: 'operator' },
  }: {
    organizationId: Uuid;
    email: string;
    role: OrganizationRole;
    by?: OrganizationGranter & { kind: 'operator' };
  },
  client?: Client,
): Promise<Uuid | undefined> {
  const event = await audit.prepare(installationTrail, {
    ...told(by, 'organization_member.added', client),
    resource: { kind: 'organizations', id: toWire('organization', organizationId) },
  });
  return scopes.inIdentity(async (unit) => {
    const { id: userId } = await findUser(unit, email);
    await requireConfirmed(unit, { id: userId });
    const added = await unit.sql(
      `INSERT INTO identity.organization_members (organization_id, user_id, role) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, organization_id) DO NOTHING RETURNING 1 AS added`,
      [organizationId, userId, role],
    );
    if (added.length === 0) return undefined;
    const detail = { userId: toWire('user', userId), to: role };
    await audit.append(unit, installationTrail, { ...event, detail });
    return userId;
  });
}

/** Gives a member another role. */
export function changeOrganizationRole(
  parts: MemberParts,
  wish: {
    organizationId: Uuid;
    userId: Uuid;
    role: OrganizationRole;
    by: OrganizationGranter;
    ifVersion?: number;
  },
  client?: Client,
): Promise<OrganizationMemberOutcome> {
  return changeMember(parts, wish, 'organization_member.role_changed', client);
}

/** Ends a membership; anybody may end their own. */
export function removeOrganizationMember(
  parts: MemberParts,
  wish: { organizationId: Uuid; userId: Uuid; by: OrganizationGranter; ifVersion?: number },
  client?: Client,
): Promise<OrganizationMemberOutcome> {
  return changeMember(parts, wish, 'organization_member.removed', client);
}

async function changeMember(
  { scopes, audit }: MemberParts,
  {
    organizationId,
    userId,
    role,
    by,
    ifVersion,
  }: {
    organizationId: Uuid;
    userId: Uuid;
    role?: OrganizationRole;
    by: OrganizationGranter;
    ifVersion?: number;
  },
  action: string,
  client?: Client,
): Promise<OrganizationMemberOutcome> {
  const isLeaving = !role && by.kind === 'user' && by.id === userId;
  const event = await audit.prepare(installationTrail, {
    ...told(by, action, client),
    ...(!isLeaving && { permission: 'organization-members:write' }),
    resource: { kind: 'organizations', id: toWire('organization', organizationId) },
  });
  return scopes.inOrganization(organizationId, async (unit): Promise<OrganizationMemberOutcome> => {
    const owners = await lockOwners(unit, organizationId);
    const [held] = await unit.sql<{ role: OrganizationRole; version: number }>(
      'SELECT role, version FROM identity.organization_members WHERE organization_id = $1 AND user_id = $2 FOR UPDATE',
      [organizationId, userId],
    );
    if (!held) return { outcome: 'unknown_member' };
    if (ifVersion !== undefined && ifVersion !== held.version) return { outcome: 'changed_meanwhile' };
    const lacked = isLeaving
      ? []
      : await lackedByOrganizationGranter(unit, organizationId, by, role ? [held.role, role] : [held.role]);
    if (lacked.length > 0) return { outcome: 'beyond_own_rights', lacked };
    if (held.role === 'owner' && role !== 'owner' && owners.every((owner) => owner === userId))
      return { outcome: 'last_owner' };

    if (role)
      await unit.sql(
        `UPDATE identity.organization_members SET role = $3, version = version + 1, updated_at = now()
           WHERE organization_id = $1 AND user_id = $2`,
        [organizationId, userId, role],
      );
    else
      await unit.sql(
        'DELETE FROM identity.organization_members WHERE organization_id = $1 AND user_id = $2',
        [organizationId, userId],
      );
    await audit.append(unit, installationTrail, {
      ...event,
      detail: { userId: toWire('user', userId), from: held.role, ...(role && { to: role }) },
    });
    return { outcome: 'done' };
  });
}

/**
 * What the granter lacks of what these roles permit, read within the unit that gives them: nobody makes somebody more than
 * they are, nor takes from somebody what they could not give. What roles are in the tenants follows the same order.
 */
export async function lackedByOrganizationGranter(
  unit: Unit,
  organizationId: Uuid,
  granter: OrganizationGranter,
  roles: readonly OrganizationRole[],
): Promise<OrganizationPermission[]> {
  if (granter.kind === 'operator') return [];
  const grant = await readOrganizationGrant(unit, organizationId, granter.id);
  return lackedBy(
    grant,
    new Set<OrganizationPermission>([
      'organization-members:write',
      ...roles.flatMap((role) => [...permissionsOfOrganizationRole(role)]),
    ]),
  );
}

// All owners are locked, in one order: of two who make each other less at the same moment, the other finds the one owner
// that is left. Somebody who is disabled does not count.
async function lockOwners(unit: Unit, organizationId: Uuid): Promise<Uuid[]> {
  const rows = await unit.sql<{ user_id: Uuid }>(
    `SELECT user_id FROM identity.organization_members WHERE organization_id = $1 AND role = 'owner' ORDER BY user_id FOR UPDATE`,
    [organizationId],
  );
  const active = await unit.sql<{ id: Uuid }>(
    `SELECT id FROM identity.users WHERE id = ANY ($1::uuid[]) AND status = 'active'`,
    [rows.map(({ user_id }) => user_id)],
  );
  return active.map(({ id }) => id);
}

// An operator who is signed in is known by their id.
function told(by: OrganizationGranter, action: string, client: Client | undefined) {
  const actor =
    by.id === undefined ? ({ kind: 'operator' } as const) : ({ kind: 'user', id: by.id } as const);
  return { actor, action, outcome: 'allowed' as const, ...(client && tracesOf(client)) };
}
