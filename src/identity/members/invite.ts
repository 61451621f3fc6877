import type { BuiltinRole, Permission } from '@swarmgate/contract/rest/permissions.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { type Client, tracesOf } from '../client.ts';
import { normaliseEmail } from '../email-address.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { BadEmailError } from '../people/users.ts';
import { newInvitationToken } from './invitation-token.ts';
import { columnsOf, type Granter, lackedByGranter, type RoleChoice, readRole } from './role-choice.ts';

const dayMs = 24 * 60 * 60_000;
/** How long whoever is asked has to come. */
export const invitationLifetimeMs = 7 * dayMs;

export type InviteOutcome =
  /** The token is shown this once, for whoever brings it to the person. */
  | { outcome: 'invited'; id: Uuid; token: string; expiresAt: Date }
  | { outcome: 'already_member' | 'unknown_role' }
  /** The role permits what they may not do themselves. */
  | { outcome: 'beyond_own_rights'; lacked: Permission[] };

/**
 * Asks somebody to become a member, by the address that they have or will have here. One who was asked before and has not
 * come, is asked anew: the earlier invitation is good no more. @throws {BadEmailError}
 */
export async function invite(
  { scopes, audit }: IdentityParts,
  wish: { tenantId: Uuid; email: string; role: RoleChoice; by: Granter },
  client: Client,
): Promise<InviteOutcome> {
  const { tenantId, role, by } = wish;
  const email = normaliseEmail(wish.email);
  if (email === undefined) throw new BadEmailError();
  const id = newId();
  const { token, hash } = newInvitationToken({ tenantId }, id);
  const event = await audit.prepare(tenantId, {
    actor: by,
    action: 'invitation.made',
    permission: 'members:write',
    resource: { kind: 'invitations', id: toWire('invitation', id) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  return scopes.inTenant(tenantId, async (unit): Promise<InviteOutcome> => {
    const chosen = await readRole(unit, role);
    if (!chosen) return { outcome: 'unknown_role' };
    const lacked = await lackedByGranter(unit, tenantId, by, [chosen]);
    if (lacked.length > 0) return { outcome: 'beyond_own_rights', lacked };
    const [member] = await unit.sql(
      `SELECT 1 FROM identity.memberships m JOIN identity.users u ON u.id = m.user_id WHERE u.email = $1`,
      [email],
    );
    if (member) return { outcome: 'already_member' };
    await unit.sql(
      `UPDATE identity.invitations SET revoked_at = now()
         WHERE tenant_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL`,
      [tenantId, email],
    );
    const [made] = await unit.sql<{ expires_at: Date }>(
      `INSERT INTO identity.invitations (tenant_id, id, email, builtin_role, role_id, secret_hash, invited_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond') RETURNING expires_at`,
      [
        tenantId,
        id,
        email,
        ...columnsOf(role),
        hash,
        by.kind === 'user' ? by.id : null,
        invitationLifetimeMs,
      ],
    );
    if (!made) throw new TypeError('The database answered nothing.');
    await audit.append(unit, tenantId, { ...event, detail: { role: chosen.name } });
    return { outcome: 'invited', id, token, expiresAt: made.expires_at };
  });
}

/** An invitation that is open, as the tenant sees it. */
export type Invitation = {
  id: Uuid;
  email: string;
  role: RoleChoice;
  invitedBy: Uuid | undefined;
  createdAt: Date;
  expiresAt: Date;
};

/** Those that are open, the latest first. */
export async function listInvitations({ scopes }: IdentityParts, tenantId: Uuid): Promise<Invitation[]> {
  type Row = {
    id: Uuid;
    email: string;
    builtin_role: BuiltinRole | null;
    role_id: Uuid;
    invited_by: Uuid | null;
    created_at: Date;
    expires_at: Date;
  };
  const rows = await scopes.inTenant(tenantId, (unit) =>
    unit.sql<Row>(
      `SELECT id, email, builtin_role, role_id, invited_by, created_at, expires_at FROM identity.invitations
         WHERE tenant_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now() ORDER BY id DESC`,
      [tenantId],
    ),
  );
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    role: row.builtin_role === null ? { roleId: row.role_id } : { builtin: row.builtin_role },
    invitedBy: row.invited_by ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }));
}

/** Takes an invitation back. `false`: there is no open one of that id in the tenant. */
export async function revokeInvitation(
  { scopes, audit }: IdentityParts,
  { tenantId, id, by }: { tenantId: Uuid; id: Uuid; by: Granter },
  client: Client,
): Promise<boolean> {
  const event = await audit.prepare(tenantId, {
    actor: by,
    action: 'invitation.revoked',
    permission: 'members:write',
    resource: { kind: 'invitations', id: toWire('invitation', id) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  return scopes.inTenant(tenantId, async (unit) => {
    const revoked = await unit.sql(
      `UPDATE identity.invitations SET revoked_at = now()
         WHERE tenant_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL RETURNING 1 AS revoked`,
      [tenantId, id],
    );
    if (revoked.length > 0) await audit.append(unit, tenantId, event);
    return revoked.length > 0;
  });
}
