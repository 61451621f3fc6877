import type { Uuid } from '#domain/ids.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';
import type { AuthenticationMethod } from '../sessions/web-session.ts';

/** A sign-in between its first factor and its second. */
export type SignInChallenge = {
  hash: Buffer;
  userId: Uuid;
  amr: AuthenticationMethod[];
  /** The organization's provider that the first factor was shown to. */
  connectionId: Uuid | undefined;
};

export const challengeLifetimeMs = 5 * 60_000;

/** Keeps that the first factor was shown. Whoever has the token goes on from there, once. */
export async function addChallenge(
  unit: Unit,
  {
    userId,
    amr,
    connectionId,
  }: { userId: Uuid; amr: readonly AuthenticationMethod[]; connectionId?: Uuid | undefined },
): Promise<string> {
  const { token, hash } = newSecret('challenge');
  await unit.sql(
    `INSERT INTO identity.sign_in_challenges (token_hash, user_id, amr, expires_at, connection_id)
       VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond', $5)`,
    [hash, userId, [...amr], challengeLifetimeMs, connectionId ?? null],
  );
  return token;
}

/** The sign-in of a token, as long as it can be finished. */
export async function findChallenge(scopes: Scopes, token: string): Promise<SignInChallenge | undefined> {
  const hash = hashOfSecret('challenge', token);
  return hash && scopes.inIdentity((unit) => readChallenge(unit, hash, ''));
}

/** The same under the row's lock: of two that finish it at once, the other finds it used. */
export function lockChallenge(unit: Unit, hash: Buffer): Promise<SignInChallenge | undefined> {
  return readChallenge(unit, hash, 'FOR UPDATE OF c');
}

async function readChallenge(
  unit: Unit,
  hash: Buffer,
  lock: '' | 'FOR UPDATE OF c',
): Promise<SignInChallenge | undefined> {
  const [row] = await unit.sql<{ user_id: Uuid; amr: AuthenticationMethod[]; connection_id: Uuid | null }>(
    `SELECT c.user_id, c.amr, c.connection_id FROM identity.sign_in_challenges c JOIN identity.users u ON u.id = c.user_id
       WHERE c.token_hash = $1 AND c.used_at IS NULL AND c.expires_at > now() AND u.status = 'active' ${lock}`,
    [hash],
  );
  return row && { hash, userId: row.user_id, amr: row.amr, connectionId: row.connection_id ?? undefined };
}
