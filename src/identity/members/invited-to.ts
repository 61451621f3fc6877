import type { OrganizationRole } from '@swarmgate/contract/rest/organization-permissions.ts';
import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { type IdKind, toWire, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit } from '#tenancy/scopes.ts';
import { lackedByOrganizationGranter } from '../organizations/organization-members.ts';
import type { InvitedTo } from './invitation-token.ts';
import { lackedByGranter, readRole } from './role-choice.ts';

/** Where invitations to a tenant or to an organization are kept, and what becomes of one that is accepted. */
export type InvitationPlace = {
  id: Uuid;
  /** Names of ours, never input. */
  table: 'identity.invitations' | 'identity.organization_invitations';
  idColumn: 'tenant_id' | 'organization_id';
  roleColumns: string;
  /** Who is told of it, and the kind of its ids there. */
  trail: Uuid;
  idKind: IdKind;
  /** In the scope of people. `already_member`: they are one, and nothing was done. */
  join(unit: PlatformUnit, userId: Uuid, given: InvitedRole): Promise<'joined' | 'already_member'>;
  /** What whoever asked lacks of what they gave, now. It comes last: the unit may be the place's own from then on. */
  lackedByInviter(unit: PlatformUnit, given: InvitedRole): Promise<readonly string[]>;
};

export type InvitedRole = {
  builtin_role?: BuiltinRole | null;
  role_id?: Uuid | null;
  role?: OrganizationRole;
  invited_by: Uuid | null;
};

export function placeOf(to: InvitedTo): InvitationPlace {
  return 'tenantId' in to ? ofTenant(to.tenantId) : ofOrganization(to.organizationId);
}

function ofTenant(tenantId: Uuid): InvitationPlace {
  return {
    ...{ id: tenantId, table: 'identity.invitations', idColumn: 'tenant_id' },
    ...{ roleColumns: 'builtin_role, role_id', trail: tenantId, idKind: 'invitation' },
    async join(unit, userId, { builtin_role, role_id }) {
      const joined = await unit.sql(
        `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role, role_id) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING 1 AS joined`,
        [tenantId, userId, builtin_role ?? null, role_id ?? null],
      );
      return joined.length > 0 ? 'joined' : 'already_member';
    },
    async lackedByInviter(unit, { builtin_role, role_id, invited_by }) {
      // As the tenant, who alone sees its roles.
      await unit.becomeTenant(tenantId);
      if (invited_by === null) return [];
      const role = await readRole(
        unit,
        role_id ? { roleId: role_id } : { builtin: builtin_role ?? 'viewer' },
      );
      return role
        ? lackedByGranter(unit, tenantId, { kind: 'user', id: invited_by }, [role])
        : ['the role itself'];
    },
  };
}

function ofOrganization(organizationId: Uuid): InvitationPlace {
  return {
    ...{ id: organizationId, table: 'identity.organization_invitations', idColumn: 'organization_id' },
    ...{ roleColumns: 'role', trail: installationTrail, idKind: 'organizationInvitation' },
    async join(unit, userId, { role }) {
      const joined = await unit.sql(
        `INSERT INTO identity.organization_members (organization_id, user_id, role) VALUES ($1, $2, $3)
           ON CONFLICT (user_id, organization_id) DO NOTHING RETURNING 1 AS joined`,
        [organizationId, userId, role],
      );
      return joined.length > 0 ? 'joined' : 'already_member';
    },
    async lackedByInviter(unit, { role, invited_by }) {
      if (invited_by === null || !role) return [];
      return lackedByOrganizationGranter(unit, organizationId, { kind: 'user', id: invited_by }, [role]);
    },
  };
}

/** How an invitation is named in a trail. */
export function resourceOf({ idKind }: InvitationPlace, id?: Uuid) {
  return { kind: 'invitations', ...(id !== undefined && { id: toWire(idKind, id) }) };
}
