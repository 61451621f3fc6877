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
import { type InvitationToken, type InvitedTo, isSameHash, readInvitationToken } from './invitation-token.ts';
import { type InvitationPlace, type InvitedRole, placeOf, resourceOf } from './invited-to.ts';

/** Somebody who is signed in, or somebody new, who makes an account of the address that was asked. */
export type Accepting =
  /** `within`: the only organization that their session is good in. */
  { userId: Uuid; within?: Uuid | null } | { name: string; password: string };

export type AcceptOutcome =
  | ({ outcome: 'accepted'; userId: Uuid } & InvitedTo)
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
  /** They made their account by an invitation to elsewhere, and no operator has stood behind its address since. */
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
  const place = token && placeOf(token.to);
  const seen = place && (await scopes.inIdentity((unit) => lookAt(unit, place, token, as)));
  if (!seen) {
    const reason = 'There is no such invitation, or it is good no more.';
    await audit.note(installationTrail, refusalOf(client, as, reason, { kind: 'invitations' }));
    return { outcome: 'refused' };
  }
  const refused = (reason: string) => refusalOf(client, as, reason, resourceOf(place, token.id));
  if (seen.outcome !== 'good') {
    await audit.note(place.trail, refused(`It came to nothing: ${seen.outcome}.`));
    return seen;
  }

  // What takes long is done before the row is locked.
  const passwordHash = 'password' in as ? await hashPassword(as.password) : undefined;
  const event = await audit.prepare(place.trail, {
    actor: 'userId' in as ? { kind: 'user', id: as.userId } : { kind: 'nobody' },
    action: 'invitation.accepted',
    resource: resourceOf(place, token.id),
    outcome: 'allowed',
    ...tracesOf(client),
  });
  try {
    return await scopes.inIdentity(async (unit) => {
      const given = await useUp(unit, place, token);
      const userId =
        'userId' in as ? as.userId : (await createUser(unit, { email: seen.email, name: as.name })).id;
      if ('userId' in as) await refuseUnconfirmed(unit, place, token, userId);
      if (passwordHash !== undefined) await keepPassword(unit, userId, passwordHash);
      await join(unit, place, userId, given);
      await audit.append(unit, place.trail, { ...event, detail: { userId: toWire('user', userId) } });
      return { outcome: 'accepted', ...token.to, userId };
    });
  } catch (error) {
    // Somebody made an account of that address at the same moment.
    if (error instanceof UserExistsError) return { outcome: 'has_account' };
    if (!(error instanceof NotAccepted)) throw error;
    await audit.note(place.trail, refused(error.message));
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

const isOpen = 'accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()';

async function lookAt(
  unit: Unit,
  { table, idColumn, id }: InvitationPlace,
  token: InvitationToken,
  as: Accepting,
): Promise<Exclude<AcceptOutcome, { outcome: 'accepted' }> | { outcome: 'good'; email: string } | undefined> {
  const [invitation] = await unit.sql<{ email: string; secret_hash: Buffer }>(
    `SELECT email, secret_hash FROM ${table} WHERE ${idColumn} = $1 AND id = $2 AND ${isOpen}`,
    [id, token.id],
  );
  if (!invitation || !isSameHash(invitation.secret_hash, token.hash)) return undefined;
  const { email } = invitation;
  if ('userId' in as) {
    if (as.within && !(await isWithin(unit, token.to, as.within))) return undefined;
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

// Whoever came by an organization's provider joins nothing else by its say.
async function isWithin(unit: Unit, to: InvitedTo, organizationId: Uuid): Promise<boolean> {
  if ('organizationId' in to) return to.organizationId === organizationId;
  const rows = await unit.sql('SELECT 1 FROM directory.tenants WHERE id = $1 AND organization_id = $2', [
    to.tenantId,
    organizationId,
  ]);
  return rows.length > 0;
}

// The one statement that decides: those who come later wait for the row, and then find it used.
async function useUp(
  unit: Unit,
  { table, idColumn, roleColumns, id }: InvitationPlace,
  token: InvitationToken,
): Promise<InvitedRole> {
  const [used] = await unit.sql<InvitedRole>(
    `UPDATE ${table} SET accepted_at = now() WHERE ${idColumn} = $1 AND id = $2 AND secret_hash = $3 AND ${isOpen}
       RETURNING ${roleColumns}, invited_by`,
    [id, token.id, token.hash],
  );
  if (!used) throw new NotAccepted('refused', 'It was accepted or taken back at the same moment.');
  return used;
}

// Whoever invited may have kept the invitation and made the account themselves, with an address that is somebody else's. So
// it is worth something only where they could invite anyway. That it was born here shows by the invitation that it
// accepted; one of a tenant makes nobody's account worth something above it, nor the other way round.
async function refuseUnconfirmed(
  unit: Unit,
  { table, idColumn, id }: InvitationPlace,
  token: InvitationToken,
  userId: Uuid,
): Promise<void> {
  const [unconfirmed] = await unit.sql(
    `SELECT 1 FROM identity.users u WHERE u.id = $1 AND u.email_verified_at IS NULL AND NOT EXISTS (
       SELECT FROM ${table} i
         WHERE i.${idColumn} = $2 AND i.email = u.email AND i.accepted_at IS NOT NULL AND i.id <> $3)`,
    [userId, id, token.id],
  );
  if (unconfirmed) throw new NotAccepted('unconfirmed_address', 'No operator has confirmed their address.');
}

async function join(
  unit: PlatformUnit,
  place: InvitationPlace,
  userId: Uuid,
  given: InvitedRole,
): Promise<void> {
  if ((await place.join(unit, userId, given)) === 'already_member')
    throw new NotAccepted('already_member', 'They are a member already.');
  // What was to be given may have grown since, and whoever gave it may be less than they were.
  if ((await place.lackedByInviter(unit, given)).length > 0)
    throw new NotAccepted('refused', 'Whoever asked may no longer do what the role permits.');
}

function refusalOf(client: Client, as: Accepting, reason: string, resource: { kind: string; id?: string }) {
  return {
    actor: 'userId' in as ? ({ kind: 'user', id: as.userId } as const) : ({ kind: 'nobody' } as const),
    action: 'invitation.refused',
    resource,
    outcome: 'refused' as const,
    reason,
    ...tracesOf(client),
  };
}
