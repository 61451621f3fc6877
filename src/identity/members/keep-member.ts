import type { BuiltinRole } from '@swarmgate/contract/rest/permissions.ts';
import { installationTrail } from '#audit/audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { normaliseEmail } from '../email-address.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { requireConfirmed } from '../people/confirm-address.ts';
import { BadEmailError, createUser } from '../people/users.ts';
import { addMember, changeMemberRole, listMembers } from './members.ts';

type Parts = Pick<IdentityParts, 'scopes' | 'audit'>;

/** The only owner cannot be made less: somebody has to remain who can do everything. */
class LastOwnerError extends AppError<'last_owner'> {
  override readonly name = 'LastOwnerError';

  constructor(email: string) {
    super('last_owner', `${email} is the tenant's only owner: make somebody else an owner first.`);
  }
}

/** Somebody else changed the membership at the same moment. */
class MemberNotKeptError extends AppError<'member_not_kept'> {
  override readonly name = 'MemberNotKeptError';

  constructor(email: string, outcome: string) {
    super('member_not_kept', `${email} was not given the role (${outcome}): apply once more.`);
  }
}

/**
 * Makes somebody a member with a role, whoever they are: what an apply file says. Who has no account gets one, which a
 * password has yet to be chosen for ("swarmgate users link"). With `dryRun` it only says what it would do.
 * @throws {UnconfirmedAddressError} when there is an account of the address that no operator stands behind
 */
export async function keepMember(
  parts: Parts,
  { tenantId, email: typed, role }: { tenantId: Uuid; email: string; role: BuiltinRole },
  { dryRun }: { dryRun: boolean },
): Promise<'created' | 'updated' | 'unchanged'> {
  const email = normaliseEmail(typed);
  if (email === undefined) throw new BadEmailError();
  const member = (await listMembers(parts, tenantId)).find((one) => one.email === email);
  if (member?.roleName === role) return 'unchanged';
  await parts.scopes.inIdentity((unit) => requireConfirmed(unit, { email }));
  if (dryRun) return member ? 'updated' : 'created';
  const choice = { builtin: role };
  if (!member) {
    const userId = await findOrCreate(parts, email);
    if (!(await addMember(parts, { tenantId, userId, role: choice })))
      throw new MemberNotKeptError(email, 'already_member');
    return 'created';
  }
  const { userId } = member;
  const changed = await changeMemberRole(parts, { tenantId, userId, role: choice, by: { kind: 'operator' } });
  if (changed.outcome === 'last_owner') throw new LastOwnerError(email);
  if (changed.outcome !== 'done') throw new MemberNotKeptError(email, changed.outcome);
  return 'updated';
}

async function findOrCreate({ scopes, audit }: Parts, email: string): Promise<Uuid> {
  return scopes.inIdentity(async (unit) => {
    const [known] = await unit.sql<{ id: Uuid }>('SELECT id FROM identity.users WHERE email = $1', [email]);
    if (known) return known.id;
    const { id } = await createUser(unit, { email, isConfirmed: true });
    const event = await audit.prepare(installationTrail, {
      actor: { kind: 'operator' },
      action: 'user.created',
      resource: { kind: 'users', id: toWire('user', id) },
      outcome: 'allowed',
      reason: 'By an operator, with an apply file.',
    });
    await audit.append(unit, installationTrail, event);
    return id;
  });
}
