import { installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { hashPassword } from '#identity/passwords/hash-password.ts';
import { judgePassword } from '#identity/passwords/judge-password.ts';
import { keepPassword } from '#identity/passwords/keep-password.ts';
import { createUser, findUser, listUsers, setUserStatus, type User } from '#identity/people/users.ts';
import { resetSecondFactor } from '#identity/second-factor/second-factors.ts';
import { type LinkPurpose, makeSignInLink } from '#identity/sign-in/sign-in-link.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';
import { signOutUsers } from './sign-out-users.ts';

/** What an operator asks about people, whom they name by their address. */
export type UsersWish =
  | { act: 'list' }
  /** Without an address: everybody. */
  | { act: 'sign-out'; email?: string }
  | { act: 'create'; email: string; name: string; isOperator: boolean; password?: string }
  | { act: 'link'; email: string; purpose: Exclude<LinkPurpose, 'this_machine'> }
  | { act: 'disable' | 'enable' | 'reset-second-factor'; email: string };

export type ListedUser = {
  id: string;
  email: string;
  name?: string;
  status?: User['status'];
  isOperator?: boolean;
  hasSecondFactor?: boolean;
  passkeyCount?: number;
  isConfirmed?: boolean;
  createdAt?: string;
  /** The secret of a link that was just made, and until when it is good. */
  link?: { purpose: LinkPurpose; token: string; expiresAt: string };
};

/** A password is not good enough; `fault` says why. */
class PasswordRefusedError extends AppError<'password_refused'> {
  override readonly name = 'PasswordRefusedError';

  constructor(fault: NonNullable<ReturnType<typeof judgePassword>>) {
    super('password_refused', `The password is not taken: ${faults[fault]}.`);
  }
}

const faults = {
  too_short: 'it has fewer than 12 characters',
  too_long: 'it has more than 256 characters',
  too_common: 'it is one of those that are tried first',
  like_the_account: 'it is made of the address or the name',
};

const listedMax = 10_000;

/** Does it in one transaction, and tells the installation's audit trail of it. */
export async function operateUsers({ scopes, keyRing }: Storage, wish: UsersWish): Promise<ListedUser[]> {
  if (wish.act === 'sign-out') return signOutUsers({ scopes, keyRing }, wish.email);
  if (wish.act === 'list') {
    const users = await scopes.inIdentity((unit) => listUsers(unit, { limit: listedMax }));
    return users.map((user) => ({
      ...user,
      id: toWire('user', user.id),
      createdAt: user.createdAt.toISOString(),
    }));
  }
  const password = wish.act === 'create' ? wish.password : undefined;
  const fault = password === undefined ? undefined : judgePassword(password, wish);
  if (fault) throw new PasswordRefusedError(fault);
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const trail = createAuditTrail({ scopes, keyRing });
  const event = await trail.prepare(installationTrail, {
    actor: { kind: 'operator' },
    action: actions[wish.act],
    resource: { kind: 'users' },
    outcome: 'allowed',
    reason: 'By an operator, at the command line.',
  });
  return scopes.inIdentity(async (unit) => {
    const { user, link } = await act(unit, wish, passwordHash);
    const id = toWire('user', user.id);
    await trail.append(unit, installationTrail, { ...event, resource: { kind: 'users', id } });
    return [{ id, email: user.email, ...(link && { link }) }];
  });
}

const actions = {
  create: 'user.created',
  link: 'sign_in_link.made',
  disable: 'user.disabled',
  enable: 'user.enabled',
  'reset-second-factor': 'second_factor.reset',
};

type Acted = { user: { id: Uuid; email: string }; link?: NonNullable<ListedUser['link']> };

async function act(
  unit: Unit,
  wish: Exclude<UsersWish, { act: 'list' | 'sign-out' }>,
  passwordHash: string | undefined,
): Promise<Acted> {
  if (wish.act === 'create') {
    const user = await createUser(unit, { ...wish, isConfirmed: true });
    if (passwordHash === undefined) return { user, link: await linkOf(unit, user.id, 'set_password') };
    await keepPassword(unit, user.id, passwordHash);
    return { user };
  }
  const user = await findUser(unit, wish.email);
  if (wish.act === 'link') return { user, link: await linkOf(unit, user.id, wish.purpose) };
  if (wish.act === 'reset-second-factor') await resetSecondFactor(unit, user.id);
  else await setUserStatus(unit, user.id, wish.act === 'disable' ? 'disabled' : 'active');
  return { user };
}

async function linkOf(unit: Unit, userId: Uuid, purpose: LinkPurpose) {
  const { token, expiresAt } = await makeSignInLink(unit, userId, purpose);
  return { purpose, token, expiresAt: expiresAt.toISOString() };
}
