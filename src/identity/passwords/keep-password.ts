import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { endSessions } from '../sessions/own-sessions.ts';

/**
 * Keeps the hash of a new password. Every session ends but the one that it was changed in, and every sign-in that is under
 * way and every link that could set another: whoever knew the old password is out.
 */
export async function keepPassword(unit: Unit, userId: Uuid, hash: string, ownSession?: Uuid): Promise<void> {
  await unit.sql(
    `INSERT INTO identity.passwords (user_id, hash) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = now()`,
    [userId, hash],
  );
  // Sessions last: a sign-in that is under way holds its link or its challenge, and has its session once that is free.
  await unit.sql('UPDATE identity.sign_in_links SET used_at = now() WHERE user_id = $1 AND used_at IS NULL', [
    userId,
  ]);
  await unit.sql(
    'UPDATE identity.sign_in_challenges SET used_at = now() WHERE user_id = $1 AND used_at IS NULL',
    [userId],
  );
  await endSessions(unit, userId, ownSession === undefined ? {} : { except: ownSession });
}
