import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { secondFactorCounters } from '../attempts.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import {
  proveSecondFactor,
  type SecondFactorProof,
  type Shown,
} from '../second-factor/prove-second-factor.ts';
import { type FoundSession, type NewSession, openSession, rotateSession } from '../sessions/web-session.ts';
import { noteOwnRefusal, noteRefusal } from './note-refusal.ts';
import { findChallenge, lockChallenge } from './sign-in-challenge.ts';

export type SecondFactorOutcome =
  | { outcome: 'signed_in'; session: NewSession }
  /** It is not good, or what began it has ended: after five minutes, or with the one session it was good for. */
  | { outcome: 'refused' }
  | { outcome: 'blocked'; retryAfterMs: number };

/** The second half of a sign-in: a second factor, for the challenge of the first half. */
export async function finishSignIn(
  parts: IdentityParts,
  { challenge, ...proof }: { challenge: string } & SecondFactorProof,
  client: Client,
): Promise<SecondFactorOutcome> {
  const { scopes, keyRing, audit } = parts;
  const found = await findChallenge(scopes, challenge);
  if (!found) {
    await noteRefusal(parts, client, 'sign_in.refused', 'There is no such sign-in under way.');
    return { outcome: 'refused' };
  }
  const { userId, hash } = found;

  const whose = { userId, provider: found.connectionId };
  return withSecondFactor(parts, whose, client, noteRefusal, async () => {
    const show = await proveSecondFactor(parts, userId, proof, {
      purpose: 'second_factor',
      challengeHash: hash,
    });
    const event = await audit.prepare(installationTrail, {
      actor: { kind: 'user', id: userId },
      action: 'sign_in.done',
      resource: { kind: 'users', id: toWire('user', userId) },
      outcome: 'allowed',
      ...tracesOf(client),
    });
    return scopes.inIdentity(async (unit) => {
      const still = await lockChallenge(unit, hash);
      if (!still) return { refusal: 'ended' };
      const shown = await show(unit);
      if ('refusal' in shown) return shown;
      await unit.sql('UPDATE identity.sign_in_challenges SET used_at = now() WHERE token_hash = $1', [hash]);
      const amr = [...still.amr, shown.by];
      const session = await openSession(unit, keyRing, {
        ...{ userId, amr, hasSecondFactor: true, connectionId: still.connectionId, client },
      });
      await audit.append(unit, installationTrail, { ...event, detail: { by: amr } });
      return { session };
    });
  });
}

/** Shows a second factor once more, for what is dear. The session gets a new token. */
export async function stepUp(
  parts: IdentityParts,
  session: FoundSession,
  proof: SecondFactorProof,
  client: Client,
): Promise<SecondFactorOutcome> {
  const { scopes, audit } = parts;
  const { userId } = session;
  const whose = { userId, provider: session.organizationId ?? undefined };
  return withSecondFactor(parts, whose, client, noteOwnRefusal, async () => {
    const show = await proveSecondFactor(parts, userId, proof, { purpose: 'step_up', sessionId: session.id });
    const event = await audit.prepare(installationTrail, {
      actor: { kind: 'user', id: userId },
      action: 'second_factor.shown',
      resource: { kind: 'sessions', id: toWire('session', session.id) },
      outcome: 'allowed',
      ...tracesOf(client),
    });
    return scopes.inIdentity(async (unit) => {
      const shown = await show(unit);
      if ('refusal' in shown) return shown;
      const rotated = await rotateSession(unit, session.id, shown.by);
      if (!rotated) return { refusal: 'ended' };
      await audit.append(unit, installationTrail, { ...event, detail: { by: shown.by } });
      return { session: rotated };
    });
  });
}

type Showing = { session: NewSession } | Extract<Shown, { refusal: string }> | { refusal: 'ended' };

const reasons = {
  code_refused: 'Wrong or used code.',
  passkey_refused: 'The passkey did not sign what it was asked to.',
  passkey_copied: 'The passkey has not counted on: there is a copy of it.',
  ended: 'The sign-in or session has ended.',
};

// Every try is an attempt, whatever it is for.
async function withSecondFactor(
  parts: IdentityParts,
  { userId, provider }: { userId: Uuid; provider: Uuid | undefined },
  client: Client,
  tell: typeof noteOwnRefusal,
  show: () => Promise<Showing>,
): Promise<SecondFactorOutcome> {
  const counters = secondFactorCounters(userId, provider);
  const retryAfterMs = await parts.attempts.take(counters);
  if (retryAfterMs > 0) {
    parts.onSecurityEvent('lockout');
    await tell(parts, client, 'second_factor.blocked', 'Too many codes were wrong.', userId);
    return { outcome: 'blocked', retryAfterMs };
  }
  const showing = await show();
  if ('refusal' in showing) {
    const { refusal } = showing;
    if (refusal === 'passkey_copied') parts.onSecurityEvent('passkey_copied');
    const action = refusal === 'passkey_copied' ? 'passkey.copied' : 'second_factor.refused';
    await tell(parts, client, action, reasons[refusal], userId);
    return { outcome: 'refused' };
  }
  await parts.attempts.giveBack(counters);
  return { outcome: 'signed_in', session: showing.session };
}
