import type { Uuid } from '#domain/ids.ts';
import type { IdentityParts } from '../identity-parts.ts';
import type { FoundSession } from '../sessions/web-session.ts';
import { findChallenge } from '../sign-in/sign-in-challenge.ts';
import { beginCeremony, type CeremonyPlace } from './ceremonies.ts';
import { requestOptions } from './check-passkey.ts';
import { knownCredentials } from './find-passkey.ts';
import type { CeremonyBeginning } from './sign-in-with-passkey.ts';

export type ShowingBeginning =
  | CeremonyBeginning
  /** There is no such sign-in under way, or no more. */
  | { outcome: 'refused' }
  /** They have no passkey. */
  | { outcome: 'none' };

/** Begins to show a passkey as the second half of a sign-in, for the challenge of the first half. */
export async function beginPasskeySecondFactor(
  parts: IdentityParts,
  challenge: string,
): Promise<ShowingBeginning> {
  const found = await findChallenge(parts.scopes, challenge);
  if (!found) return { outcome: 'refused' };
  return begin(parts, found.userId, { purpose: 'second_factor', challengeHash: found.hash });
}

/** Begins to show one once more, for what is dear. */
export function beginPasskeyStepUp(parts: IdentityParts, session: FoundSession): Promise<ShowingBeginning> {
  return begin(parts, session.userId, { purpose: 'step_up', sessionId: session.id });
}

async function begin(
  { scopes, relyingParty }: IdentityParts,
  userId: Uuid,
  place: CeremonyPlace,
): Promise<ShowingBeginning> {
  if (!relyingParty) return { outcome: 'unavailable' };
  const begun = await scopes.inIdentity(async (unit) => {
    const known = await knownCredentials(unit, userId);
    return known.length > 0 ? { known, ...(await beginCeremony(unit, place)) } : undefined;
  });
  if (!begun) return { outcome: 'none' };
  const { known, challenge, token } = begun;
  return {
    outcome: 'begun',
    ceremony: token,
    options: await requestOptions(relyingParty, { challenge, known }),
  };
}
