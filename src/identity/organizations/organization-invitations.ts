import type {
  OrganizationPermission,
  OrganizationRole,
} from '@swarmgate/contract/rest/organization-permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { type Client, tracesOf } from '../client.ts';
import { normaliseEmail } from '../email-address.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { newInvitationToken } from '../members/invitation-token.ts';
import { invitationLifetimeMs } from '../members/invite.ts';
import { BadEmailError } from '../people/users.ts';
import { lackedByOrganizationGranter, type OrganizationGranter } from './organization-members.ts';

type Parts = Pick<IdentityParts, 'scopes' | 'audit'>;

export type OrganizationInviteOutcome =
  /** The token is shown this once, for whoever brings it to the person. */
  | { outcome: 'invited'; id: Uuid; token: string; expiresAt: Date }
  | { outcome: 'already_member' }
  /** The role permits what they may not do themselves. */
  | { outcome: 'beyond_own_rights'; lacked: OrganizationPermission[] };

/**
 * Asks somebody to help run an organization, by the address that they have or will have here. One who was asked before and
 * has not come, is asked anew: the earlier invitation is good no more. @throws {BadEmailError}
 */
export async function inviteToOrganization(
  { scopes, audit }: Parts,
  wish: { organizationId: Uuid; email: string; role: OrganizationRole; by: OrganizationGranter },
  client: Client,
): Promise<OrganizationInviteOutcome> {
  const { organizationId, role, by } = wish;
  const email = normaliseEmail(wish.email);
  if (email === undefined) throw new BadEmailError();
  const id = newId();
  const { token, hash } = newInvitationToken({ organizationId }, id);
  const event = await audit.prepare(installationTrail, {
    ...{ actor: actorOf(by), action: 'organization_invitation.made', outcome: 'allowed' },
    permission: 'organization-members:write',
    resource: { kind: 'organizations', id: toWire('organization', organizationId) },
    detail: { invitationId: toWire('organizationInvitation', id), role },
    ...tracesOf(client),
  });
  return scopes.inOrganization(organizationId, async (unit): Promise<OrganizationInviteOutcome> => {
    const lacked = await lackedByOrganizationGranter(unit, organizationId, by, [role]);
    if (lacked.length > 0) return { outcome: 'beyond_own_rights', lacked };
    const [member] = await unit.sql(
      `SELECT 1 FROM identity.organization_members m JOIN identity.users u ON u.id = m.user_id
         WHERE m.organization_id = $1 AND u.email = $2`,
      [organizationId, email],
    );
    if (member) return { outcome: 'already_member' };
    await unit.sql(
      `UPDATE identity.organization_invitations SET revoked_at = now()
         WHERE organization_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL`,
      [organizationId, email],
    );
    const [made] = await unit.sql<{ expires_at: Date }>(
      `INSERT INTO identity.organization_invitations (organization_id, id, email, role, secret_hash, invited_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond') RETURNING expires_at`,
      [organizationId, id, email, role, hash, by.kind === 'user' ? by.id : null, invitationLifetimeMs],
    );
    if (!made) throw new TypeError('The database answered nothing.');
    await audit.append(unit, installationTrail, event);
    return { outcome: 'invited', id, token, expiresAt: made.expires_at };
  });
}

/** An invitation that is open, as the organization sees it. */
export type OrganizationInvitation = {
  id: Uuid;
  email: string;
  role: OrganizationRole;
  invitedBy: Uuid | null;
  createdAt: Date;
  expiresAt: Date;
};

/** Those that are open, the latest first. */
export function listOrganizationInvitations(
  { scopes }: Pick<Parts, 'scopes'>,
  organizationId: Uuid,
): Promise<OrganizationInvitation[]> {
  return scopes.inOrganization(organizationId, (unit) =>
    unit.sql<OrganizationInvitation>(
      `SELECT id, email, role, invited_by AS "invitedBy", created_at AS "createdAt", expires_at AS "expiresAt"
         FROM identity.organization_invitations
         WHERE organization_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now() ORDER BY id DESC`,
      [organizationId],
    ),
  );
}

/** Takes an invitation back. `false`: there is no open one of that id in the organization. */
export async function revokeOrganizationInvitation(
  { scopes, audit }: Parts,
  { organizationId, id, by }: { organizationId: Uuid; id: Uuid; by: OrganizationGranter },
  client: Client,
): Promise<boolean> {
  const event = await audit.prepare(installationTrail, {
    ...{ actor: actorOf(by), action: 'organization_invitation.revoked', outcome: 'allowed' },
    permission: 'organization-members:write',
    resource: { kind: 'organizations', id: toWire('organization', organizationId) },
    detail: { invitationId: toWire('organizationInvitation', id) },
    ...tracesOf(client),
  });
  return scopes.inOrganization(organizationId, async (unit) => {
    const revoked = await unit.sql(
      `UPDATE identity.organization_invitations SET revoked_at = now()
         WHERE organization_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL RETURNING 1 AS revoked`,
      [organizationId, id],
    );
    if (revoked.length > 0) await audit.append(unit, installationTrail, event);
    return revoked.length > 0;
  });
}

function actorOf(by: OrganizationGranter) {
  return by.id === undefined ? ({ kind: 'operator' } as const) : ({ kind: 'user', id: by.id } as const);
}
