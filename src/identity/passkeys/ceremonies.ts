import type { Uuid } from '#domain/ids.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { hashOfSecret, newSecret } from '../secret-token.ts';

/** What a ceremony is for, and what it belongs to. An answer to one of another purpose, or another's, is none. */
export type CeremonyPlace =
  | { purpose: 'registration' | 'step_up'; sessionId: Uuid }
  | { purpose: 'second_factor'; challengeHash: Buffer }
  /** Who signs in is told by the passkey. */
  | { purpose: 'sign_in' };

/** Longer than anybody looks for a telephone; as long as a sign-in has for its second half. */
export const ceremonyLifetimeMs = 5 * 60_000;

/**
 * Begins a ceremony. Whoever asked keeps the token; the challenge that the authenticator signs is the token's hash, which is
 * all that is kept. So an answer is of use only together with the token.
 */
export async function beginCeremony(
  unit: Unit,
  place: CeremonyPlace,
): Promise<{ token: string; challenge: Buffer }> {
  const { token, hash } = newSecret('ceremony');
  const { purpose, sessionId, challengeHash } = columnsOf(place);
  await unit.sql(
    `INSERT INTO identity.passkey_ceremonies (token_hash, purpose, session_id, challenge_hash, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')`,
    [hash, purpose, sessionId, challengeHash, ceremonyLifetimeMs],
  );
  return { token, challenge: hash };
}

/**
 * Takes a ceremony away and answers its challenge: once, and whatever comes of the answer. `undefined`: there is none of
 * that purpose and place, or no more.
 */
export async function takeCeremony(
  scopes: Scopes,
  token: string,
  place: CeremonyPlace,
): Promise<Buffer | undefined> {
  const hash = hashOfSecret('ceremony', token);
  if (!hash) return undefined;
  const { purpose, sessionId, challengeHash } = columnsOf(place);
  const taken = await scopes.inIdentity((unit) =>
    unit.sql(
      `DELETE FROM identity.passkey_ceremonies
         WHERE token_hash = $1 AND purpose = $2 AND session_id IS NOT DISTINCT FROM $3
           AND challenge_hash IS NOT DISTINCT FROM $4 AND expires_at > now() RETURNING 1 AS taken`,
      [hash, purpose, sessionId, challengeHash],
    ),
  );
  return taken.length > 0 ? hash : undefined;
}

function columnsOf(place: CeremonyPlace) {
  return {
    purpose: place.purpose,
    sessionId: 'sessionId' in place ? place.sessionId : null,
    challengeHash: 'challengeHash' in place ? place.challengeHash : null,
  };
}
