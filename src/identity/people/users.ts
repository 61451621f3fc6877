import { AppError } from '#domain/errors.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { ConflictError } from '#tenancy/scope-errors.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { normaliseEmail } from '../email-address.ts';
import { hasAppSql, hasSecondFactor, passkeyCountSql } from '../second-factor/second-factors.ts';
import { endSessions } from '../sessions/own-sessions.ts';

export type User = {
  id: Uuid;
  email: string;
  name: string;
  status: 'active' | 'disabled';
  isOperator: boolean;
  hasSecondFactor: boolean;
  passkeyCount: number;
  /** An operator stands behind the address. */
  isConfirmed: boolean;
  createdAt: Date;
};

/** What was given is no address of electronic mail. */
export class BadEmailError extends AppError<'bad_email'> {
  override readonly name = 'BadEmailError';

  constructor() {
    super('bad_email', 'That is no e-mail address.');
  }
}

/** Somebody has that address already. */
export class UserExistsError extends AppError<'user_exists'> {
  override readonly name = 'UserExistsError';

  constructor() {
    super('user_exists', 'Somebody has that address already.');
  }
}

/** There is nobody with that address here. */
export class UnknownUserError extends AppError<'unknown_user'> {
  override readonly name = 'UnknownUserError';

  constructor() {
    super('unknown_user', 'Nobody here has that address.');
  }
}

/**
 * Adds somebody, who cannot sign in yet: that takes a password, or a link. `isConfirmed`: an operator says that they are
 * meant by the address. @throws {BadEmailError | UserExistsError}
 */
export async function createUser(
  unit: Unit,
  {
    email: typed,
    name = '',
    isOperator = false,
    isConfirmed = false,
  }: { email: string; name?: string; isOperator?: boolean; isConfirmed?: boolean },
): Promise<{ id: Uuid; email: string }> {
  const email = normaliseEmail(typed);
  if (email === undefined) throw new BadEmailError();
  const id = newId();
  await unit
    .sql(
      `INSERT INTO identity.users (id, email, name, is_operator, email_verified_at)
         VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)`,
      [id, email, name, isOperator, isConfirmed],
    )
    .catch((error: unknown) => {
      throw error instanceof ConflictError ? new UserExistsError() : error;
    });
  return { id, email };
}

/** @throws {UnknownUserError} */
export async function findUser(unit: Unit, typed: string): Promise<{ id: Uuid; email: string }> {
  const [user] = await unit.sql<{ id: Uuid; email: string }>(
    'SELECT id, email FROM identity.users WHERE email = $1',
    [normaliseEmail(typed) ?? ''],
  );
  if (!user) throw new UnknownUserError();
  return user;
}

/** Everybody, by address, from the one after `after` on. */
export async function listUsers(
  unit: Unit,
  { after = '', limit }: { after?: string; limit: number },
): Promise<User[]> {
  type Row = Pick<User, 'id' | 'email' | 'name' | 'status'> & {
    is_operator: boolean;
    has_app: boolean;
    passkey_count: number;
    is_confirmed: boolean;
    created_at: Date;
  };
  const rows = await unit.sql<Row>(
    `SELECT u.id, u.email, u.name, u.status, u.is_operator, u.created_at, ${hasAppSql} AS has_app,
         ${passkeyCountSql} AS passkey_count, u.email_verified_at IS NOT NULL AS is_confirmed
       FROM identity.users u
       WHERE u.email > $1 ORDER BY u.email LIMIT $2`,
    [after, limit],
  );
  return rows.map(({ is_operator, has_app, passkey_count, is_confirmed, created_at, ...row }) => ({
    ...row,
    isOperator: is_operator,
    hasSecondFactor: hasSecondFactor({ hasApp: has_app, passkeyCount: passkey_count }),
    passkeyCount: passkey_count,
    isConfirmed: is_confirmed,
    createdAt: created_at,
  }));
}

/** Disables somebody everywhere and ends their sessions, and what came from them; or lets them back in. */
export async function setUserStatus(unit: Unit, userId: Uuid, status: User['status']): Promise<void> {
  await unit.sql(
    'UPDATE identity.users SET status = $2, version = version + 1, updated_at = now() WHERE id = $1 AND status <> $2',
    [userId, status],
  );
  if (status === 'disabled') await endSessions(unit, userId, {});
}
