import type { Uuid } from '#domain/ids.ts';
import { passkeyCounters } from '../attempts.ts';
import type { Client } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { readAccount } from '../sign-in/account.ts';
import { completeFirstFactor, type SignInOutcome } from '../sign-in/complete-first-factor.ts';
import { noteRefusal } from '../sign-in/note-refusal.ts';
import { beginCeremony, takeCeremony } from './ceremonies.ts';
import {
  type AssertionAnswer,
  checkAssertion,
  type RequestOptions,
  requestOptions,
  userHandleOf,
} from './check-passkey.ts';
import { findPasskey, noteUse, type UseOfPasskey } from './find-passkey.ts';

export type CeremonyBeginning =
  | { outcome: 'begun'; ceremony: string; options: RequestOptions }
  /** Browsers have no passkeys for this installation's address. */
  | { outcome: 'unavailable' };

/** Begins a sign-in by a passkey alone. Nobody says who they are: the authenticator knows whose its passkeys are. */
export async function beginPasskeySignIn({
  scopes,
  relyingParty,
}: IdentityParts): Promise<CeremonyBeginning> {
  if (!relyingParty) return { outcome: 'unavailable' };
  const { token, challenge } = await scopes.inIdentity((unit) => beginCeremony(unit, { purpose: 'sign_in' }));
  return { outcome: 'begun', ceremony: token, options: await requestOptions(relyingParty, { challenge }) };
}

/**
 * Signs in by a passkey, whose use its authenticator has made sure of by something that its owner knows or is: both factors in
 * one. What is refused is told apart to the trail only.
 */
export async function signInWithPasskey(
  parts: IdentityParts,
  { ceremony, answer }: { ceremony: string; answer: AssertionAnswer },
  client: Client,
): Promise<SignInOutcome> {
  const { scopes, attempts, relyingParty } = parts;
  const counters = passkeyCounters(answer.id, client.address);
  const retryAfterMs = await attempts.take(counters);
  if (retryAfterMs > 0) {
    parts.onSecurityEvent('lockout');
    await noteRefusal(parts, client, 'sign_in.blocked', 'Too many attempts had failed.');
    return { outcome: 'blocked', retryAfterMs };
  }
  const refuse = async (reason: string, userId?: Uuid): Promise<SignInOutcome> => {
    await noteRefusal(parts, client, 'sign_in.refused', reason, userId);
    return { outcome: 'refused' };
  };

  const challenge = await takeCeremony(scopes, ceremony, { purpose: 'sign_in' });
  if (!challenge || !relyingParty) return refuse('There is no such ceremony, or no more.');
  const found = await scopes.inIdentity(async (unit) => {
    const passkey = await findPasskey(unit, answer.id);
    const account = passkey && (await readAccount(unit, { id: passkey.userId }));
    return account && { passkey, account };
  });
  if (!found) return refuse('Nobody has that passkey.');
  const { passkey, account } = found;
  const shown = await checkAssertion(relyingParty, challenge, passkey, answer);
  // Without having been told who signs in, it says whose it is itself (WebAuthn §7.2, step 6).
  if (!shown?.userHandle?.equals(userHandleOf(account.id)))
    return refuse('The passkey did not sign what it was asked to.', account.id);
  if (!account.isActive) return refuse('The account is disabled.', account.id);
  await attempts.giveBack(counters);

  const { connectionId } = passkey;
  const signOn = connectionId && { connectionId, hasSecondFactor: false };
  const uses: UseOfPasskey[] = [];
  const outcome = await completeFirstFactor(
    parts,
    account,
    { amr: 'passkey', client, ...(signOn && { signOn }) },
    async (unit) => {
      const use = await noteUse(unit, passkey.id, shown);
      uses.push(use);
      return use === 'noted';
    },
  );
  if (uses.includes('copied')) {
    parts.onSecurityEvent('passkey_copied');
    const reason = 'The passkey has not counted on: there is a copy of it.';
    await noteRefusal(parts, client, 'passkey.copied', reason, account.id);
  }
  return outcome;
}
