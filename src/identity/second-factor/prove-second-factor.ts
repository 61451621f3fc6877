import type { Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { type CeremonyPlace, takeCeremony } from '../passkeys/ceremonies.ts';
import { type AssertionAnswer, checkAssertion, userHandleOf } from '../passkeys/check-passkey.ts';
import { findPasskey, noteUse } from '../passkeys/find-passkey.ts';
import type { AuthenticationMethod } from '../sessions/web-session.ts';
import { showSecondFactor } from './show-second-factor.ts';

/** What somebody shows: a code of the app or a recovery code, or the use of a passkey. */
export type SecondFactorProof = { code: string } | { ceremony: string; answer: AssertionAnswer };

export type Shown =
  | { by: AuthenticationMethod }
  /** `passkey_copied`: it was signed by the right key, and another one has it too. */
  | { refusal: 'code_refused' | 'passkey_refused' | 'passkey_copied' };

/**
 * Looks at a proof as far as that takes time. Answers what uses it up, to be done in the unit in which it counts.
 */
export async function proveSecondFactor(
  parts: IdentityParts,
  userId: Uuid,
  proof: SecondFactorProof,
  place: CeremonyPlace,
): Promise<(unit: Unit) => Promise<Shown>> {
  if ('code' in proof)
    return async (unit) => {
      const { keyRing, nowMs } = parts;
      const by = await showSecondFactor({ unit, keyRing, nowMs: nowMs() }, userId, proof.code);
      return by ? { by } : { refusal: 'code_refused' };
    };

  const used = await checkPasskey(parts, userId, proof, place);
  return async (unit) => {
    const use = used && (await noteUse(unit, used.passkeyId, used.shown));
    if (use === 'noted') return { by: 'passkey' };
    return { refusal: use === 'copied' ? 'passkey_copied' : 'passkey_refused' };
  };
}

async function checkPasskey(
  { scopes, relyingParty }: IdentityParts,
  userId: Uuid,
  { ceremony, answer }: { ceremony: string; answer: AssertionAnswer },
  place: CeremonyPlace,
) {
  const challenge = await takeCeremony(scopes, ceremony, place);
  if (!challenge || !relyingParty) return undefined;
  const passkey = await scopes.inIdentity((unit) => findPasskey(unit, answer.id));
  if (passkey?.userId !== userId) return undefined;
  const shown = await checkAssertion(relyingParty, challenge, passkey, answer);
  if (!shown || (shown.userHandle && !shown.userHandle.equals(userHandleOf(userId)))) return undefined;
  return { passkeyId: passkey.id, shown };
}
