import { installationTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { secondFactorCounters } from '../attempts.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { showSecondFactor } from '../second-factor/show-second-factor.ts';
import { hashOfSecret } from '../secret-token.ts';
import {
  type AuthenticationMethod,
  type FoundSession,
  type NewSession,
  openSession,
  rotateSession,
} from '../sessions/web-session.ts';
import { noteOwnRefusal, noteRefusal } from './note-refusal.ts';

export type SecondFactorOutcome =
  | { outcome: 'signed_in'; session: NewSession }
  /** Not a good code, or what began it has ended: after five minutes, or with the one session it was good for. */
  | { outcome: 'refused' }
  | { outcome: 'blocked'; retryAfterMs: number };

/** The second half of a sign-in: a code of the app or a recovery code, for the challenge of the first half. */
export async function finishSignIn(
  parts: IdentityParts,
  { challenge, code }: { challenge: string; code: string },
  client: Client,
): Promise<SecondFactorOutcome> {
  const { scopes, keyRing, audit } = parts;
  const hash = hashOfSecret('challenge', challenge);
  const openChallenge = `SELECT c.user_id, c.amr, c.connection_id FROM identity.sign_in_challenges c JOIN identity.users u ON u.id = c.user_id
     WHERE c.token_hash = $1 AND c.used_at IS NULL AND c.expires_at > now() AND u.status = 'active'`;
  type Challenge = { user_id: Uuid; amr: AuthenticationMethod[]; connection_id: Uuid | null };
  const [found] = hash ? await scopes.inIdentity((unit) => unit.sql<Challenge>(openChallenge, [hash])) : [];
  if (!found) {
    await noteRefusal(parts, client, 'sign_in.refused', 'There is no such sign-in under way.');
    return { outcome: 'refused' };
  }

  return withSecondFactor(parts, found.user_id, client, noteRefusal, async () => {
    const event = await audit.prepare(installationTrail, {
      actor: { kind: 'user', id: found.user_id },
      action: 'sign_in.done',
      resource: { kind: 'users', id: toWire('user', found.user_id) },
      outcome: 'allowed',
      ...tracesOf(client),
    });
    return scopes.inIdentity(async (unit) => {
      // Under the row's lock: of two that finish it at once, the other finds it used.
      const [still] = await unit.sql<Challenge>(`${openChallenge} FOR UPDATE OF c`, [hash]);
      const shown =
        still && (await showSecondFactor({ unit, keyRing, nowMs: parts.nowMs() }, still.user_id, code));
      if (!shown) return undefined;
      await unit.sql('UPDATE identity.sign_in_challenges SET used_at = now() WHERE token_hash = $1', [hash]);
      const session = await openSession(unit, keyRing, {
        userId: still.user_id,
        amr: [...still.amr, shown],
        hasSecondFactor: true,
        connectionId: still.connection_id ?? undefined,
        client,
      });
      await audit.append(unit, installationTrail, { ...event, detail: { by: [...still.amr, shown] } });
      return session;
    });
  });
}

/** Shows the second factor once more, for what is dear. The session gets a new token. */
export async function stepUp(
  parts: IdentityParts,
  session: FoundSession,
  code: string,
  client: Client,
): Promise<SecondFactorOutcome> {
  const { scopes, keyRing, audit } = parts;
  return withSecondFactor(parts, session.userId, client, noteOwnRefusal, async () => {
    const event = await audit.prepare(installationTrail, {
      actor: { kind: 'user', id: session.userId },
      action: 'second_factor.shown',
      resource: { kind: 'sessions', id: toWire('session', session.id) },
      outcome: 'allowed',
      ...tracesOf(client),
    });
    return scopes.inIdentity(async (unit) => {
      const shown = await showSecondFactor({ unit, keyRing, nowMs: parts.nowMs() }, session.userId, code);
      const rotated = shown && (await rotateSession(unit, session.id, shown));
      if (!rotated) return undefined;
      await audit.append(unit, installationTrail, { ...event, detail: { by: shown } });
      return rotated;
    });
  });
}

// Every code is an attempt, whatever it is shown for.
async function withSecondFactor(
  parts: IdentityParts,
  userId: Uuid,
  client: Client,
  tell: typeof noteOwnRefusal,
  show: () => Promise<NewSession | undefined>,
): Promise<SecondFactorOutcome> {
  const counters = secondFactorCounters(userId);
  const retryAfterMs = await parts.attempts.take(counters);
  if (retryAfterMs > 0) {
    parts.onSecurityEvent('lockout');
    await tell(parts, client, 'second_factor.blocked', 'Too many codes were wrong.', userId);
    return { outcome: 'blocked', retryAfterMs };
  }
  const session = await show();
  if (!session) {
    await tell(parts, client, 'second_factor.refused', 'Wrong or used code.', userId);
    return { outcome: 'refused' };
  }
  await parts.attempts.giveBack(counters);
  return { outcome: 'signed_in', session };
}
