import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { PlatformUnit, Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { hashPassword } from '../passwords/hash-password.ts';
import { judgePassword, type PasswordFault } from '../passwords/judge-password.ts';
import { keepPassword } from '../passwords/keep-password.ts';
import { createUser, UserExistsError } from '../people/users.ts';
import { readAccount } from '../sign-in/account.ts';
import { type InvitationToken, isSameHash, readInvitationToken } from './invitation-token.ts';
import { lackedByGranter, readRole } from './role-choice.ts';

/** Somebody who is signed in, or somebody new, who makes an account of the address that was asked. */
export type Accepting = { userId: Uuid } | { name: string; password: string };

export type AcceptOutcome =
  | { outcome: 'accepted'; tenantId: Uuid; userId: Uuid }
  /**
   * The token is none, or the invitation was accepted, taken back or has expired; or whoever asked may no longer give what
   * it gives.
   */
  | { outcome: 'refused' }
  /** It is for another address than theirs. */
  | { outcome: 'other_address' }
  /** The address has an account: they have to sign in to it first. */
  | { outcome: 'has_account' }
  | { outcome: 'already_member' }
  /** They made their account by an invitation to another tenant, and no operator has stood behind its address since. */
  | { outcome: 'unconfirmed_address' }
  | { outcome: 'not_good_enough'; fault: PasswordFault };

/** Makes somebody a member by an invitation, once, however many come with it at once. */
export async function acceptInvitation(
  parts: IdentityParts,
  { token: text, as }: { token: string; as: Accepting },
  client: Client,
): Promise<AcceptOutcome> {
  const { scopes, audit } = parts;
  const token = readInvitationToken(text);
  const seen = token && (await scopes.inIdentity((unit) => lookAt(unit, token, as)));
  if (!token || !seen) {
    await audit.note(
      installationTrail,
      refusalOf(client, as, 'There is no such invitation, or it is good no more.'),
    );
    return { outcome: 'refused' };
  }
  if (seen.outcome !== 'good') {
    await audit.note(token.tenantId, refusalOf(client, as, `It came to nothing: ${seen.outcome}.`, token.id));
    return seen;
  }

  // What takes long is done before the row is locked.
  const passwordHash = 'password' in as ? await hashPassword(as.password) : undefined;
  const event = await audit.prepare(token.tenantId, {
    actor: 'userId' in as ? { kind: 'user', id: as.userId } : { kind: 'nobody' },
    action: 'invitation.accepted',
    resource: { kind: 'invitations', id: toWire('invitation', token.id) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  try {
    return await scopes.inIdentity(async (unit) => {
      const invitation = await useUp(unit, token);
      const userId =
        'userId' in as ? as.userId : (await createUser(unit, { email: seen.email, name: as.name })).id;
      if ('userId' in as) await refuseUnconfirmed(unit, token, userId);
      if (passwordHash !== undefined) await keepPassword(unit, userId, passwordHash);
      await join(unit, token.tenantId, userId, invitation);
      await audit.append(unit, token.tenantId, { ...event, detail: { userId: toWire('user', userId) } });
      return { outcome: 'accepted', tenantId: token.tenantId, userId };
    });
  } catch (error) {
    // Somebody made an account of that address at the same moment.
    if (error instanceof UserExistsError) return { outcome: 'has_account' };
    if (!(error instanceof NotAccepted)) throw error;
    await audit.note(token.tenantId, refusalOf(client, as, error.message, token.id));
    return { outcome: error.outcome };
  }
}

/** Undoes the unit: what was used up is not. */
class NotAccepted extends Error {
  readonly outcome: 'refused' | 'already_member' | 'unconfirmed_address';

  constructor(outcome: NotAccepted['outcome'], reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}

type InvitationRow = {
  email: string;
  secret_hash: Buffer;
  builtin_role: BuiltinRole | null;
  role_id: Uuid | null;
  invited_by: Uuid | null;
};

const isOpen = 'accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()';

async function lookAt(
  unit: Unit,
  token: InvitationToken,
  as: Accepting,
): Promise<Exclude<AcceptOutcome, { outcome: 'accepted' }> | { outcome: 'good'; email: string } | undefined> {
  const [invitation] = await unit.sql<InvitationRow>(
    `SELECT email, secret_hash FROM identity.invitations WHERE tenant_id = $1 AND id = $2 AND ${isOpen}`,
    [token.tenantId, token.id],
  );
  if (!invitation || !isSameHash(invitation.secret_hash, token.hash)) return undefined;
  const { email } = invitation;
  if ('userId' in as) {
    const account = await readAccount(unit, { id: as.userId });
    return account?.isActive && account.email === email
      ? { outcome: 'good', email }
      : { outcome: 'other_address' };
  }
  // The password first: a bad one must not tell, at no cost, whether the address has an account.
  const fault = judgePassword(as.password, { email, name: as.name });
  if (fault) return { outcome: 'not_good_enough', fault };
  return (await readAccount(unit, { email })) ? { outcome: 'has_account' } : { outcome: 'good', email };
}

// The one statement that decides: those who come later wait for the row, and then find it used.
async function useUp(unit: Unit, { tenantId, id, hash }: InvitationToken): Promise<InvitationRow> {
  const [used] = await unit.sql<InvitationRow>(
    `UPDATE identity.invitations SET accepted_at = now() WHERE tenant_id = $1 AND id = $2 AND secret_hash = $3 AND ${isOpen}
       RETURNING email, secret_hash, builtin_role, role_id, invited_by`,
    [tenantId, id, hash],
  );
  if (!used) throw new NotAccepted('refused', 'It was accepted or taken back at the same moment.');
  return used;
}

// Whoever invited may have kept the invitation and made the account themselves, with an address that is somebody else's. So
// it is worth something only where they could invite anyway. That it was born here shows by the invitation that it accepted.
async function refuseUnconfirmed(unit: Unit, { tenantId, id }: InvitationToken, userId: Uuid): Promise<void> {
  const [unconfirmed] = await unit.sql(
    `SELECT 1 FROM identity.users u WHERE u.id = $1 AND u.email_verified_at IS NULL AND NOT EXISTS (
       SELECT FROM identity.invitations i
         WHERE i.tenant_id = $2 AND i.email = u.email AND i.accepted_at IS NOT NULL AND i.id <> $3)`,
    [userId, tenantId, id],
  );
  if (unconfirmed) throw new NotAccepted('unconfirmed_address', 'No operator has confirmed their address.');
}

async function join(
  unit: PlatformUnit,
  tenantId: Uuid,
  userId: Uuid,
  { builtin_role, role_id, invited_by }: InvitationRow,
): Promise<void> {
  const joined = await unit.sql(
    `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role, role_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING 1 AS joined`,
    [tenantId, userId, builtin_role, role_id],
  );
  if (joined.length === 0) throw new NotAccepted('already_member', 'They are a member already.');

  // From here on as the tenant, who alone sees its roles. What was to be given may have grown since, and whoever gave it
  // may be less than they were.
  await unit.becomeTenant(tenantId);
  if (invited_by === null) return;
  const role = await readRole(
    unit,
    role_id === null ? { builtin: builtin_role ?? 'viewer' } : { roleId: role_id },
  );
  const lacked = role && (await lackedByGranter(unit, tenantId, { kind: 'user', id: invited_by }, [role]));
  if (lacked?.length !== 0)
    throw new NotAccepted('refused', 'Whoever asked may no longer do what the role permits.');
}

function refusalOf(client: Client, as: Accepting, reason: string, id?: Uuid) {
  return {
    actor: 'userId' in as ? ({ kind: 'user', id: as.userId } as const) : ({ kind: 'nobody' } as const),
    action: 'invitation.refused',
    resource: { kind: 'invitations', ...(id !== undefined && { id: toWire('invitation', id) }) },
    outcome: 'refused' as const,
    reason,
    ...tracesOf(client),
  };
}
