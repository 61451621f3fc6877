import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { TOTP } from 'otpauth';
import { onTestFinished } from 'vitest';
import { installationTrail } from '#audit/audit-trail.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import { createAttempts } from '#identity/attempts.ts';
import { createAuthenticator } from '#identity/authenticator.ts';
import type { Client } from '#identity/client.ts';
import { createGrants } from '#identity/grants.ts';
import type { IdentityParts } from '#identity/identity-parts.ts';
import { addMember } from '#identity/members/members.ts';
import type { RoleChoice } from '#identity/members/role-choice.ts';
import { relyingPartyOf } from '#identity/passkeys/relying-party.ts';
import { hashPassword } from '#identity/passwords/hash-password.ts';
import { keepPassword } from '#identity/passwords/keep-password.ts';
import { createUser } from '#identity/people/users.ts';
import { beginTotp, confirmTotp } from '#identity/second-factor/enrol-totp.ts';
import { createSessionLookup } from '#identity/sessions/session-lookup.ts';
import type { FoundSession, NewSession } from '#identity/sessions/web-session.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import { createAccessTokens } from '#identity/tokens/access-tokens.ts';
import { createSigningKeys } from '#identity/tokens/signing-keys.ts';
import type { SecurityEventKind } from '#kernel/metrics.ts';
import { insertTenants } from '../isolation/tenant-rows.ts';
import { aDatabase } from './a-database.ts';

/** The page that people sign in from. */
export const chatOrigin = 'https://chat.example';
export const goodPassword = 'a quiet boat upstream';
export const atHome: Client = { address: '203.0.113.7', userAgent: 'Test', requestId: 'req_1' };

type AtEnd = (end: () => Promise<void>) => void;

/** A database with what signs people in to it, whose clock the test may set. */
export async function somePeople(atEnd: AtEnd = onTestFinished) {
  const database = await aDatabase(atEnd);
  const { scopes, keyRing } = database;
  const clock = { nowMs: Date.now() };
  const securityEvents: SecurityEventKind[] = [];
  const parts: IdentityParts = {
    scopes,
    keyRing,
    audit: createAuditTrail({ scopes, keyRing }),
    attempts: createAttempts(scopes, keyRing),
    nowMs: () => clock.nowMs,
    onSecurityEvent: (event) => securityEvents.push(event),
    issuerName: 'Swarmgate',
    relyingParty: relyingPartyOf(chatOrigin, 'Swarmgate'),
    secondFactorOf: 'admins',
  };
  // Nothing is remembered, so that a test sees what was done at once.
  const sessions = createSessionLookup(scopes, 0);
  const grants = createGrants(scopes, { validMs: 0 });
  const keys = createSigningKeys({ scopes, keyRing, nowMs: parts.nowMs });
  const accessTokens = createAccessTokens({ keys, issuer: chatOrigin, nowMs: parts.nowMs });

  const people = {
    database,
    parts,
    clock,
    sessions,
    grants,
    keys,
    accessTokens,
    tokenParts: { ...parts, grants, accessTokens },
    authenticate: createAuthenticator({ sessions, accessTokens, secondFactorOf: 'admins' }),
    securityEvents,
    /** What the trail of the installation tells, in its order. */
    async told(): Promise<string[]> {
      return (await people.toldBy()).map(({ action }) => action);
    },
    /** The same, with who it was. */
    async toldBy(): Promise<{ action: string; outcome: string; by: Uuid | null }[]> {
      return scopes.inIdentity((unit) =>
        unit.sql(
          'SELECT action, outcome, actor_id AS by FROM swarmgate.audit_events WHERE tenant_id = $1 ORDER BY at, id',
          [installationTrail],
        ),
      );
    },
    /** An organization with so many tenants. */
    async organization(tenantCount = 1): Promise<{ id: Uuid; tenants: Uuid[]; tenant: Uuid }> {
      const id = newId();
      const tenants = Array.from({ length: tenantCount }, () => newId());
      await database.asOwner((client) => insertTenants(client, id, tenants));
      return { id, tenants, tenant: tenants[0] ?? id };
    },
    /** Somebody who is a member with a role. */
    async member(email: string, tenantId: Uuid, role: RoleChoice): Promise<Uuid> {
      const userId = await people.person(email);
      await addMember(parts, { tenantId, userId, role });
      return userId;
    },
    /** A role of the tenant's own. */
    async role(tenantId: Uuid, slug: string, permissions: readonly Permission[]): Promise<Uuid> {
      const id = newId();
      await scopes.inTenant(tenantId, (unit) =>
        unit.sql(
          'INSERT INTO swarmgate.roles (tenant_id, id, slug, name, permissions) VALUES ($1, $2, $3, $3, $4)',
          [tenantId, id, slug, [...permissions]],
        ),
      );
      return id;
    },
    /** Somebody who can sign in with `goodPassword`. */
    async person(email: string, more: { isOperator?: boolean; name?: string } = {}): Promise<Uuid> {
      const hash = await hashPassword(goodPassword);
      return scopes.inIdentity(async (unit) => {
        const { id } = await createUser(unit, { email, isConfirmed: true, ...more });
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
      const begun = await beginTotp(parts, found, atHome);
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
