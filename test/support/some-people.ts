import { TOTP } from 'otpauth';
import { onTestFinished } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { createAttempts } from '#identity/attempts.ts';
import type { Client } from '#identity/client.ts';
import type { IdentityParts, SecurityEvent } from '#identity/identity-parts.ts';
import { hashPassword } from '#identity/passwords/hash-password.ts';
import { keepPassword } from '#identity/passwords/keep-password.ts';
import { createUser } from '#identity/people/users.ts';
import { beginTotp, confirmTotp } from '#identity/second-factor/enrol-totp.ts';
import { createSessionLookup } from '#identity/sessions/session-lookup.ts';
import type { FoundSession, NewSession } from '#identity/sessions/web-session.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import { createPlainAuditTrail } from '../fakes/plain-audit-trail.ts';
import { aDatabase, type TestDatabase } from './a-database.ts';

export const goodPassword = 'a quiet boat upstream';
export const atHome: Client = { address: '203.0.113.7', userAgent: 'Test', requestId: 'req_1' };

type AtEnd = (end: () => Promise<void>) => void;

/** A database with what signs people in to it, whose clock the test may set. */
export async function somePeople(atEnd: AtEnd = onTestFinished) {
  const database = await aDatabase(atEnd);
  const { scopes, keyRing } = database;
  const clock = { nowMs: Date.now() };
  const securityEvents: SecurityEvent[] = [];
  const parts: IdentityParts = {
    scopes,
    keyRing,
    audit: createPlainAuditTrail(scopes),
    attempts: createAttempts(scopes, keyRing),
    nowMs: () => clock.nowMs,
    onSecurityEvent: (event) => securityEvents.push(event),
    issuerName: 'Swarmgate',
    secondFactorOf: 'admins',
  };
  // Nothing is remembered, so that a test sees what was done at once.
  const sessions = createSessionLookup(scopes, 0);

  const people = {
    database,
    parts,
    clock,
    sessions,
    securityEvents,
    /** Somebody who can sign in with `goodPassword`. */
    async person(email: string, more: { isOperator?: boolean; name?: string } = {}): Promise<Uuid> {
      const hash = await hashPassword(goodPassword);
      return scopes.inIdentity(async (unit) => {
        const { id } = await createUser(unit, { email, ...more });
        await keepPassword(unit, id, hash);
        return id;
      });
    },
    /** Their session, signed in with the password alone. */
    async signedIn(email: string): Promise<NewSession> {
      const signed = await signIn(parts, { email, password: goodPassword }, atHome);
      if (signed.outcome !== 'signed_in') throw new Error(`They were not signed in: ${signed.outcome}.`);
      return signed.session;
    },
    async found(token: string): Promise<FoundSession> {
      const session = await sessions.byToken(token);
      if (!session) throw new Error('The session is not good.');
      return session;
    },
    /** Adds an authenticator app to the person of a session, which then has shown it. */
    async withApp(
      session: NewSession,
    ): Promise<{ app: AuthenticatorApp; session: NewSession; recoveryCodes: string[] }> {
      const found = await people.found(session.token);
      const begun = await beginTotp(parts, found);
      if (begun.outcome !== 'begun') throw new Error(`No app was added: ${begun.outcome}.`);
      const app = anApp(begun.secret, clock);
      const confirmed = await confirmTotp(parts, found, app.nextCode(), atHome);
      if (confirmed.outcome !== 'confirmed') throw new Error(`No app was added: ${confirmed.outcome}.`);
      return { app, session: confirmed.session, recoveryCodes: confirmed.recoveryCodes };
    },
  };
  return people;
}

export type SomePeople = Awaited<ReturnType<typeof somePeople>>;
export type PeopleDatabase = TestDatabase;

export type AuthenticatorApp = {
  code(): string;
  /** The code of the next step: time goes on until then. */
  nextCode(): string;
};

function anApp(secret: string, clock: { nowMs: number }): AuthenticatorApp {
  const totp = new TOTP({ secret });
  const code = () => totp.generate({ timestamp: clock.nowMs });
  return {
    code,
    nextCode() {
      clock.nowMs += 30_000;
      return code();
    },
  };
}
