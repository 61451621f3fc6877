import { installationTrail } from '#audit/audit-trail.ts';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { type Client, tracesOf } from '../client.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { replaceRecoveryCodes } from '../second-factor/recovery-codes.ts';
import {
  hasSecondFactor,
  lockSecondFactors,
  mayAddFactor,
  readSecondFactors,
} from '../second-factor/second-factors.ts';
import { endSessions } from '../sessions/own-sessions.ts';
import { type FoundSession, type NewSession, rotateSession } from '../sessions/web-session.ts';
import { noteOwnRefusal } from '../sign-in/note-refusal.ts';
import { beginCeremony, takeCeremony } from './ceremonies.ts';
import {
  type CreationOptions,
  checkRegistration,
  creationOptions,
  type MadePasskey,
  type RegistrationAnswer,
} from './check-passkey.ts';
import { knownCredentials } from './find-passkey.ts';
import { type OwnPasskey, readPasskey } from './own-passkeys.ts';

/** More than anybody has devices. */
const passkeysMax = 20;

export type PasskeyBeginning =
  | { outcome: 'begun'; ceremony: string; options: CreationOptions }
  /** They have to show a factor again: whoever finds a browser open must not add a passkey of their own. */
  | { outcome: 'not_fresh' }
  | { outcome: 'too_many' }
  /** Browsers have no passkeys for this installation's address. */
  | { outcome: 'unavailable' };

/** Begins to add a passkey to the person of a session. */
export async function beginPasskey(
  parts: IdentityParts,
  session: FoundSession,
  client: Client,
): Promise<PasskeyBeginning> {
  const { scopes, audit, nowMs, relyingParty } = parts;
  if (!relyingParty) return { outcome: 'unavailable' };
  const { userId } = session;
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: userId },
    action: 'passkey.begun',
    resource: { kind: 'users', id: toWire('user', userId) },
    outcome: 'allowed',
    ...tracesOf(client),
  });
  const begun = await scopes.inIdentity(async (unit) => {
    const has = await readSecondFactors(unit, userId);
    if (!mayAddFactor(session, has, nowMs())) return 'not_fresh';
    if (has.passkeyCount >= passkeysMax) return 'too_many';
    const [person] = await unit.sql<{ email: string; name: string }>(
      'SELECT email, name FROM identity.users WHERE id = $1',
      [userId],
    );
    if (!person) return 'not_fresh';
    const known = await knownCredentials(unit, userId);
    const ceremony = await beginCeremony(unit, { purpose: 'registration', sessionId: session.id });
    await audit.append(unit, installationTrail, event);
    return { ceremony, known, person: { id: userId, ...person } };
  });
  if (begun === 'not_fresh') {
    const reason = 'It is too long ago that a factor was shown.';
    await noteOwnRefusal(parts, client, 'passkey.refused', reason, userId);
  }
  if (typeof begun === 'string') return { outcome: begun };
  const { ceremony, known, person } = begun;
  const options = await creationOptions(relyingParty, { challenge: ceremony.challenge, person, known });
  return { outcome: 'begun', ceremony: ceremony.token, options };
}

export type PasskeyAddition =
  /**
   * The session has a new token, and has shown a second factor; all others of theirs have ended. `recoveryCodes` are shown this
   * once, and only by the first second factor: otherwise there are some.
   */
  | { outcome: 'added'; passkey: OwnPasskey; recoveryCodes: string[]; session: NewSession }
  /** The ceremony is none of this session's or over, or the answer is not one to it. */
  | { outcome: 'refused' }
  /** The authenticator has given this passkey to somebody before. */
  | { outcome: 'known' }
  | { outcome: 'too_many' };

/** Adds a passkey by what an authenticator answered. */
export async function addPasskey(
  parts: IdentityParts,
  session: FoundSession,
  { ceremony, answer, name }: { ceremony: string; answer: RegistrationAnswer; name: string },
  client: Client,
): Promise<PasskeyAddition> {
  const { scopes, audit, relyingParty } = parts;
  const { userId } = session;
  const challenge = await takeCeremony(scopes, ceremony, { purpose: 'registration', sessionId: session.id });
  const made =
    challenge && relyingParty ? await checkRegistration(relyingParty, challenge, answer) : undefined;
  if (!made) {
    const reason = challenge
      ? 'It is no answer to what was asked.'
      : 'There is no such ceremony of this session.';
    await noteOwnRefusal(parts, client, 'passkey.refused', reason, userId);
    return { outcome: 'refused' };
  }

  const id = newId();
  const event = await audit.prepare(installationTrail, {
    actor: { kind: 'user', id: userId },
    action: 'passkey.added',
    resource: { kind: 'users', id: toWire('user', userId) },
    outcome: 'allowed',
    detail: { passkeyId: toWire('passkey', id) },
    ...tracesOf(client),
  });
  const added = await scopes
    .inIdentity(async (unit): Promise<PasskeyAddition> => {
      const had = await lockSecondFactors(unit, userId);
      if (had.passkeyCount >= passkeysMax) return { outcome: 'too_many' };
      const recoveryCodes = hasSecondFactor(had) ? [] : await replaceRecoveryCodes(unit, userId);
      if (!(await keep(unit, { id, userId, name, sessionId: session.id }, made))) return undo('known');
      const rotated = await rotateSession(unit, session.id, 'passkey');
      const passkey = rotated && (await readPasskey(unit, userId, id));
      if (!passkey) return undo('refused');
      await endSessions(unit, userId, { except: session.id });
      await audit.append(unit, installationTrail, event);
      return { outcome: 'added', passkey, recoveryCodes, session: rotated };
    })
    .catch(undone);
  if (added.outcome !== 'added')
    await noteOwnRefusal(parts, client, 'passkey.refused', `It came to nothing: ${added.outcome}.`, userId);
  return added;
}

/** Undoes the unit: recovery codes that nobody was shown are not to stay. */
class NotAdded extends Error {
  readonly outcome: 'known' | 'refused';

  constructor(outcome: NotAdded['outcome']) {
    super(outcome);
    this.outcome = outcome;
  }
}

function undo(outcome: NotAdded['outcome']): never {
  throw new NotAdded(outcome);
}

function undone(error: unknown): PasskeyAddition {
  if (error instanceof NotAdded) return { outcome: error.outcome };
  throw error;
}

async function keep(
  unit: Unit,
  { id, userId, name, sessionId }: { id: Uuid; userId: Uuid; name: string; sessionId: Uuid },
  { credentialId, publicKey, signCount, transports, isBackedUp }: MadePasskey,
): Promise<boolean> {
  const kept = await unit.sql(
    `INSERT INTO identity.passkeys (id, user_id, credential_id, public_key, sign_count, name, transports, is_backed_up, connection_id)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, s.connection_id FROM identity.web_sessions s WHERE s.id = $9
       ON CONFLICT (credential_id) DO NOTHING RETURNING 1 AS kept`,
    [id, userId, credentialId, publicKey, signCount, name, transports, isBackedUp, sessionId],
  );
  return kept.length > 0;
}
