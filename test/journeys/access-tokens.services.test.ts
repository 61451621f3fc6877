import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import { addMember, removeMember } from '#identity/members/members.ts';
import { changePassword } from '#identity/passwords/change-password.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { revokeSessions } from '#identity/sessions/own-sessions.ts';
import { stepUp } from '#identity/sign-in/finish-sign-in.ts';
import { createAccessTokens } from '#identity/tokens/access-tokens.ts';
import {
  issueTokens,
  refreshTokens,
  revokeTokens,
  type TokenLimits,
} from '#identity/tokens/refresh-tokens.ts';
import { createSigningKeys } from '#identity/tokens/signing-keys.ts';
import { atHome, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const dayMs = 24 * 60 * 60_000;

async function aMember(people: SomePeople) {
  const { id: organization, tenants } = await people.organization(2);
  const [tenant, other] = tenants as [Uuid, Uuid];
  const userId = await people.member('ann@acme.example', tenant, { builtin: 'member' });
  const session = await people.signedIn('ann@acme.example');
  return { organization, tenant, other, userId, session };
}

async function tokensOf(people: SomePeople, sessionToken: string, limits: TokenLimits = {}) {
  const issued = await issueTokens(people.tokenParts, await people.found(sessionToken), limits, atHome);
  if (issued.outcome !== 'issued') throw new Error('No tokens were issued.');
  return issued;
}

const refresh = (people: SomePeople, token: string) => refreshTokens(people.tokenParts, token, atHome);

describe('an access token', () => {
  test('stands for the person whose session it came from, in the tenant that it names', async () => {
    const people = await somePeople();
    const { organization, tenant, other, userId, session } = await aMember(people);
    const { accessToken } = await tokensOf(people, session.token, {
      tenantId: tenant,
      scope: ['conversations:write', 'settings:admin'],
    });
    expect(decodeProtectedHeader(accessToken)).toEqual({
      alg: 'EdDSA',
      typ: 'at+jwt',
      kid: expect.any(String),
    });
    expect(decodeJwt(accessToken)).toMatchObject({
      iss: 'https://chat.example',
      aud: 'https://chat.example',
      sub: toWire('user', userId),
      sid: toWire('session', session.id),
      org: toWire('organization', organization),
      tenant: toWire('tenant', tenant),
      roles: ['member'],
      scope: 'conversations:write settings:admin',
      jti: expect.any(String),
    });

    const principal = await people.authenticate({ accessToken });
    expect(principal).toMatchObject({
      kind: 'user',
      id: userId,
      via: 'token',
      sessionId: session.id,
      tenantId: tenant,
    });
    if (!principal) return;
    const grant = await people.grants.grantFor(principal, tenant);
    expect(decide(grant, 'conversations:read').allowed).toBe(true);
    // Less than the person may do, and no more than that either.
    expect(decide(grant, 'agents:read').allowed).toBe(false);
    expect(decide(grant, 'settings:admin').allowed).toBe(false);
    // And nothing in another tenant, though the person is more there.
    await addMember(people.parts, { tenantId: other, userId, role: { builtin: 'admin' } });
    expect(await people.grants.grantOf(userId, other)).toBeDefined();
    expect(await people.grants.grantFor(principal, other)).toBeUndefined();
  });

  test('is not issued for a tenant that is none of theirs', async () => {
    const people = await somePeople();
    const { other, session } = await aMember(people);
    const found = await people.found(session.token);
    for (const tenantId of [other, newId()])
      expect(await issueTokens(people.tokenParts, found, { tenantId }, atHome)).toEqual({
        outcome: 'refused',
      });
  });

  test('permits what the person may do now, whatever roles it names', async () => {
    const people = await somePeople();
    const { tenant, userId, session } = await aMember(people);
    const { accessToken } = await tokensOf(people, session.token, { tenantId: tenant });
    await removeMember(people.parts, { tenantId: tenant, userId, by: { kind: 'operator' } });
    const principal = await people.authenticate({ accessToken });
    if (!principal) throw new Error('They are somebody still.');
    expect(await people.grants.grantFor(principal, tenant)).toBeUndefined();
  });

  test.each(['session', 'all sessions', 'account', 'family'] as const)('ends with its %s', async (what) => {
    const people = await somePeople();
    const { userId, session } = await aMember(people);
    const { accessToken, refreshToken } = await tokensOf(people, session.token);
    expect(await people.authenticate({ accessToken })).toBeDefined();
    if (what === 'session') await revokeSessions(people.parts, userId, { only: session.id }, atHome);
    if (what === 'all sessions') await revokeSessions(people.parts, userId, {}, atHome);
    if (what === 'account')
      await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, userId, 'disabled'));
    if (what === 'family') await revokeTokens(people.parts, refreshToken, atHome);
    expect(await people.authenticate({ accessToken })).toBeUndefined();
    expect(await refresh(people, refreshToken)).toEqual({ outcome: 'refused' });
  });

  test('ends when its session shows a second factor, and shows one when it was taken after that', async () => {
    const people = await somePeople();
    await people.person('op@acme.example', { isOperator: true });
    const session = await people.signedIn('op@acme.example');
    const { accessToken } = await tokensOf(people, session.token);
    expect(await people.authenticate({ accessToken })).toMatchObject({
      hasSecondFactor: false,
      isOperator: false,
    });
    const { session: stepped } = await people.withApp(session);
    expect(await people.authenticate({ accessToken })).toBeUndefined();
    const after = await tokensOf(people, stepped.token);
    for (const credential of [{ accessToken: after.accessToken }, { sessionToken: stepped.token }])
      expect(await people.authenticate(credential)).toMatchObject({
        hasSecondFactor: true,
        isOperator: true,
      });
  });

  const steps = ['adding an app', 'showing a code', 'changing the password'] as const;
  test.each(steps)('taken by whoever had the session before does not outlive %s', async (step) => {
    const people = await somePeople();
    await people.person('op@acme.example', { isOperator: true });
    const plain = await people.signedIn('op@acme.example');
    const added = step === 'adding an app' ? undefined : await people.withApp(plain);
    const session = added?.session ?? plain;
    const found = await people.found(session.token);
    const [unused, used] = [await tokensOf(people, session.token), await tokensOf(people, session.token)];
    const next = await refresh(people, used.refreshToken);
    if (next.outcome !== 'issued') throw new Error('It was refused.');

    if (!added) await people.withApp(session);
    else if (step === 'showing a code')
      await stepUp(people.parts, found, { code: added.app.nextCode() }, atHome);
    else
      await changePassword(
        people.parts,
        found,
        { current: goodPassword, next: 'a slow boat downstream' },
        atHome,
      );
    for (const { accessToken, refreshToken } of [unused, next]) {
      expect(await people.authenticate({ accessToken })).toBeUndefined();
      expect(await refresh(people, refreshToken)).toEqual({ outcome: 'refused' });
    }
    // Nor does what a process still believes of the session give new ones.
    expect(await issueTokens(people.tokenParts, found, {}, atHome)).toEqual({ outcome: 'refused' });
  });

  test('is never left with the rights, however it is taken as the second factor is shown', async () => {
    const people = await somePeople();
    await people.person('op@acme.example', { isOperator: true });
    const { app, session: first } = await people.withApp(await people.signedIn('op@acme.example'));
    let session = first;
    for (let round = 0; round < 5; round++) {
      const found = await people.found(session.token);
      const { refreshToken } = await tokensOf(people, session.token);
      const [stepped, ...taken] = await Promise.all([
        stepUp(people.parts, found, { code: app.nextCode() }, atHome),
        refresh(people, refreshToken),
        ...Array.from({ length: 4 }, () => issueTokens(people.tokenParts, found, {}, atHome)),
      ]);
      if (stepped.outcome !== 'signed_in') throw new Error(stepped.outcome);
      for (const one of taken) {
        if (one.outcome !== 'issued') continue;
        expect(await people.authenticate({ accessToken: one.accessToken })).toBeUndefined();
        expect(await refresh(people, one.refreshToken)).toEqual({ outcome: 'refused' });
      }
      session = stepped.session;
    }
  });

  test('is none of another kind, nor a session’s token', async () => {
    const people = await somePeople();
    const { session } = await aMember(people);
    const { refreshToken, accessToken } = await tokensOf(people, session.token);
    for (const token of [session.token, refreshToken, '', 'sgk_x'])
      expect(await people.authenticate({ accessToken: token })).toBeUndefined();
    for (const token of [accessToken, refreshToken, ''])
      expect(await people.authenticate({ sessionToken: token })).toBeUndefined();
  });
});

describe('a refresh token', () => {
  test('is exchanged for the next one, again and again', async () => {
    const people = await somePeople();
    const { tenant, session } = await aMember(people);
    let { refreshToken } = await tokensOf(people, session.token, {
      tenantId: tenant,
      scope: ['agents:read'],
    });
    for (let count = 0; count < 3; count++) {
      const next = await refresh(people, refreshToken);
      if (next.outcome !== 'issued') throw new Error('It was refused.');
      expect(decodeJwt(next.accessToken)).toMatchObject({
        tenant: toWire('tenant', tenant),
        scope: 'agents:read',
      });
      expect(next.refreshToken).not.toBe(refreshToken);
      refreshToken = next.refreshToken;
    }
  });

  test('used twice at once: one use wins, and then the family is dead', async () => {
    const people = await somePeople();
    const { session } = await aMember(people);
    for (let round = 0; round < 5; round++) {
      const first = await tokensOf(people, session.token);
      const outcomes = await Promise.all([
        refresh(people, first.refreshToken),
        refresh(people, first.refreshToken),
      ]);
      const [winner, ...more] = outcomes.flatMap((one) => (one.outcome === 'issued' ? [one] : []));
      expect(more).toEqual([]);
      if (!winner) throw new Error('Nobody has won.');
      expect(await refresh(people, winner.refreshToken)).toEqual({ outcome: 'refused' });
      for (const { accessToken } of [first, winner])
        expect(await people.authenticate({ accessToken })).toBeUndefined();
    }
    expect(people.securityEvents).toEqual(Array(5).fill('refresh_reuse'));
    const told = await people.told();
    expect(told.filter((action) => action === 'refresh_token.reused')).toHaveLength(5);
    // The session itself was not what got into other hands.
    expect(await people.sessions.byToken(session.token)).toBeDefined();
  });

  test('used long after ends the family too, and no other', async () => {
    const people = await somePeople();
    const { session } = await aMember(people);
    const [stolen, other] = [await tokensOf(people, session.token), await tokensOf(people, session.token)];
    let current = stolen.refreshToken;
    for (let count = 0; count < 3; count++) {
      const next = await refresh(people, current);
      if (next.outcome === 'issued') current = next.refreshToken;
    }
    expect(await refresh(people, stolen.refreshToken)).toEqual({ outcome: 'refused' });
    expect(await refresh(people, current)).toEqual({ outcome: 'refused' });
    expect(await refresh(people, other.refreshToken)).toMatchObject({ outcome: 'issued' });
  });

  test('is told of: that it was exchanged, that its tenant was lost, that it was given up', async () => {
    const people = await somePeople();
    const { tenant, userId, session } = await aMember(people);
    const first = await tokensOf(people, session.token, { tenantId: tenant });
    const next = await refresh(people, first.refreshToken);
    if (next.outcome !== 'issued') throw new Error('It was refused.');
    await removeMember(people.parts, { tenantId: tenant, userId, by: { kind: 'operator' } });
    expect(await refresh(people, next.refreshToken)).toEqual({ outcome: 'refused' });
    for (let count = 0; count < 2; count++) await revokeTokens(people.parts, next.refreshToken, atHome);
    expect((await people.toldBy()).slice(-3)).toEqual([
      { action: 'tokens.refreshed', outcome: 'allowed', by: userId },
      { action: 'refresh_token.refused', outcome: 'refused', by: null },
      { action: 'tokens.revoked', outcome: 'allowed', by: userId },
    ]);
  });

  test('that nobody was given is none', async () => {
    const people = await somePeople();
    for (const token of ['', 'sgr_', `sgr_${'A'.repeat(43)}`, `sgs_${'A'.repeat(43)}`])
      expect(await refresh(people, token)).toEqual({ outcome: 'refused' });
    await revokeTokens(people.parts, 'sgr_nobody', atHome);
    expect(people.securityEvents).toEqual([]);
  });
});

describe('keys', () => {
  const processOf = ({ parts }: SomePeople) => {
    const keys = createSigningKeys({ scopes: parts.scopes, keyRing: parts.keyRing, nowMs: parts.nowMs });
    return { keys, tokens: createAccessTokens({ keys, issuer: 'https://chat.example', nowMs: parts.nowMs }) };
  };
  const claims = () => ({ userId: newId(), sessionId: newId(), roles: [] });

  test('are one, however many processes start at the same moment, and verify each other’s tokens', async () => {
    const people = await somePeople();
    const all = Array.from({ length: 6 }, () => processOf(people));
    const issued = await Promise.all(all.map(({ tokens }) => tokens.issue(claims())));
    const kids = new Set(issued.map(({ token }) => decodeProtectedHeader(token).kid));
    expect(kids.size).toBe(1);
    for (const { tokens } of all)
      for (const { token } of issued) expect(await tokens.verify(token)).toMatchObject({ ok: true });
  });

  test('are published without their private part, for others to verify by', async () => {
    const people = await somePeople();
    const { tokens, keys } = processOf(people);
    const { token } = await tokens.issue(claims());
    const set = await keys.published();
    expect(set.keys).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x: expect.any(String),
        kid: expect.any(String),
        use: 'sig',
        alg: 'EdDSA',
      },
    ]);
    await jwtVerify(token, createLocalJWKSet(set), {
      issuer: 'https://chat.example',
      typ: 'at+jwt',
      currentDate: new Date(people.clock.nowMs),
    });
    const rows = await people.parts.scopes.inIdentity((unit) =>
      unit.sql<{ row: string }>('SELECT k::text AS row FROM identity.signing_keys k'),
    );
    expect(JSON.stringify(rows)).not.toMatch(/\\"d\\"/);
  });

  test('follow each other: the next is published a day before it signs, the last until its tokens have ended', async () => {
    const people = await somePeople();
    const { tokens, keys } = processOf(people);
    const startedAt = people.clock.nowMs;
    const at = (afterMs: number) => {
      people.clock.nowMs = startedAt + afterMs;
    };
    const kidNow = async () => decodeProtectedHeader((await tokens.issue(claims())).token).kid;
    const publishedNow = async () => (await keys.published()).keys.map(({ kid }) => kid);

    const first = await kidNow();
    at(29 * dayMs - 60_000);
    expect(await publishedNow()).toEqual([first]);
    at(29 * dayMs + 60_000);
    const [second, ...others] = (await publishedNow()).filter((kid) => kid !== first);
    expect([second, others]).toEqual([expect.any(String), []]);
    expect(await kidNow()).toBe(first);

    at(30 * dayMs - 1_000);
    const last = await tokens.issue(claims());
    at(30 * dayMs + 20_000);
    expect(await kidNow()).toBe(second);
    expect(await tokens.verify(last.token)).toMatchObject({ ok: true });
    expect(await publishedNow()).toContain(first);
    at(30 * dayMs + 11 * 60_000);
    expect(await publishedNow()).toEqual([second]);
  });

  test('there is one at once when nobody was here to make the next', async () => {
    const people = await somePeople();
    const { tokens } = processOf(people);
    await tokens.issue(claims());
    people.clock.nowMs += 400 * dayMs;
    const { token } = await tokens.issue(claims());
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
  });
});
