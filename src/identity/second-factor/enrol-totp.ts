import { installationTrail } from '#audit/audit-trail.ts';
import { toWire } from '#domain/ids.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { endSessions } from '../sessions/own-sessions.ts';
import { type FoundSession, isFresh, type NewSession, rotateSession } from '../sessions/web-session.ts';
import { noteOwnRefusal } from '../sign-in/note-refusal.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';
import {
  hasSecondFactor,
  lockSecondFactors,
  mayAddFactor,
  readSecondFactors,
  settleRemoval,
} from './second-factors.ts';
import { takeStep, totpPlace } from './show-second-factor.ts';
import { newTotpSecret, stepOfCode, totpUri } from './totp-code.ts';

const tooLongAgo = 'It is too long ago that a factor was shown.';

export type TotpBeginning =
  /** The secret is shown this once, for the app to keep. */
  | { outcome: 'begun'; secret: string; uri: string }
  /** There is one; it has to be removed first, which needs it. */
  | { outcome: 'has_one' }
  /** They have to show a factor again: whoever finds a browser open must not add one of their own. */
  | { outcome: 'not_fresh' };

/** Begins to add an authenticator app. It counts once a code of it was shown; beginning again forgets the first secret. */
export async function beginTotp(
  parts: IdentityParts,
  session: FoundSession,
  client: Client,
): Promise<TotpBeginning> {
  const { scopes, keyRing, audit, nowMs, issuerName } = parts;
  const has = await scopes.inIdentity((unit) => readSecondFactors(unit, session.userId));
  if (!mayAddFactor(session, has, nowMs())) {
    await noteOwnRefusal(parts, client, 'second_factor.refused', tooLongAgo, session.userId);
    return { outcome: 'not_fresh' };
  }
  const secret = newTotpSecret();
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: session.userId },
    action: 'second_factor.begun',
    resource: { kind: 'users', id: toWire('user', session.userId) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  const email = await scopes.inIdentity(async (unit) => {
    const [begun] = await unit.sql(
      `INSERT INTO identity.totp AS t (user_id, sealed_secret) VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at = now(), last_used_step = 0
           WHERE t.confirmed_at IS NULL RETURNING 1 AS begun`,
      [session.userId, keyRing.seal(secret, totpPlace(session.userId))],
    );
    if (!begun) return undefined;
    await audit.append(unit, installationTrail, event);
    const [user] = await unit.sql<{ email: string }>('SELECT email FROM identity.users WHERE id = $1', [
      session.userId,
    ]);
    return user?.email;
  });
  if (email === undefined) return { outcome: 'has_one' };
  return { outcome: 'begun', secret, uri: totpUri(secret, { issuer: issuerName, account: email }) };
}

export type TotpConfirmation =
  /** The codes are shown this once, and there are none where a passkey had made some; the session has a new token. */
  { outcome: 'confirmed'; recoveryCodes: string[]; session: NewSession } | { outcome: 'refused' };

/** The app shows a code of the new secret: from here on it is asked for, and every other session of theirs has ended. */
export async function confirmTotp(
  parts: IdentityParts,
  session: FoundSession,
  code: string,
  client: Client,
): Promise<TotpConfirmation> {
  const { scopes, keyRing, audit, nowMs } = parts;
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: session.userId },
    action: 'second_factor.added',
    resource: { kind: 'users', id: toWire('user', session.userId) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  const confirmed = await scopes.inIdentity(async (unit): Promise<TotpConfirmation> => {
    const had = await lockSecondFactors(unit, session.userId);
    const [row] = await unit.sql<{ sealed_secret: string }>(
      'SELECT sealed_secret FROM identity.totp WHERE user_id = $1 AND confirmed_at IS NULL FOR UPDATE',
      [session.userId],
    );
    const step = row && stepOfCode(keyRing.open(row.sealed_secret, totpPlace(session.userId)), code, nowMs());
    if (step === undefined || !(await takeStep(unit, session.userId, step))) return { outcome: 'refused' };
    const rotated = await rotateSession(unit, session.id, 'otp');
    if (!rotated) return { outcome: 'refused' };
    await unit.sql('UPDATE identity.totp SET confirmed_at = now() WHERE user_id = $1', [session.userId]);
    const recoveryCodes = hasSecondFactor(had) ? [] : await replaceRecoveryCodes(unit, session.userId);
    await endSessions(unit, session.userId, { except: session.id });
    await audit.append(unit, installationTrail, event);
    return { outcome: 'confirmed', recoveryCodes, session: rotated };
  });
  if (confirmed.outcome === 'refused')
    await noteOwnRefusal(parts, client, 'second_factor.refused', 'Wrong or used code.', session.userId);
  return confirmed;
}

/**
 * Takes the app away, and the recovery codes with it unless there is a passkey. `not_fresh`: a second factor has to be shown
 * first (`stepUp`).
 */
export async function removeTotp(
  parts: IdentityParts,
  session: FoundSession,
  client: Client,
): Promise<{ outcome: 'removed' | 'not_fresh' }> {
  const { scopes, audit, nowMs } = parts;
  if (!isFresh(session, 'second', nowMs())) {
    await noteOwnRefusal(parts, client, 'second_factor.refused', tooLongAgo, session.userId);
    return { outcome: 'not_fresh' };
  }
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: session.userId },
    action: 'second_factor.removed',
    resource: { kind: 'users', id: toWire('user', session.userId) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  await scopes.inIdentity(async (unit) => {
    await lockSecondFactors(unit, session.userId);
    await unit.sql('DELETE FROM identity.totp WHERE user_id = $1', [session.userId]);
    await settleRemoval(unit, session.userId, session.id);
    await audit.append(unit, installationTrail, event);
  });
  return { outcome: 'removed' };
}

/** Ten new recovery codes for the old ones, which are good no more. */
export async function renewRecoveryCodes(
  parts: IdentityParts,
  session: FoundSession,
  client: Client,
): Promise<{ outcome: 'renewed'; recoveryCodes: string[] } | { outcome: 'not_fresh' }> {
  const { scopes, audit, nowMs } = parts;
  if (!isFresh(session, 'second', nowMs())) {
    await noteOwnRefusal(parts, client, 'recovery_codes.refused', tooLongAgo, session.userId);
    return { outcome: 'not_fresh' };
  }
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: session.userId },
    action: 'recovery_codes.renewed',
    resource: { kind: 'users', id: toWire('user', session.userId) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  return scopes.inIdentity(async (unit) => {
    const recoveryCodes = await replaceRecoveryCodes(unit, session.userId);
    await audit.append(unit, installationTrail, event);
    return { outcome: 'renewed', recoveryCodes };
  });
}
