import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { listSessions, revokeSessions } from '#identity/sessions/own-sessions.ts';
import { sessionCookie } from '#identity/sessions/session-cookie.ts';
import { createSessionLookup } from '#identity/sessions/session-lookup.ts';
import { eventually } from '../support/eventually.ts';
import { atHome, type SomePeople, somePeople } from '../support/some-people.ts';

async function annSignedIn(people: SomePeople) {
  const id = await people.person('ann@acme.example');
  return { id, session: await people.signedIn('ann@acme.example') };
}

const setTimes = ({ database }: SomePeople, change: string) =>
  database.asOwner((client) => client.query(`UPDATE identity.web_sessions SET ${change}`));

describe('a session', () => {
  test('is found by its token, of which only the hash is kept', async () => {
    const people = await somePeople();
    const { id, session } = await annSignedIn(people);
    expect(session.token).toMatch(/^sgs_[A-Za-z0-9_-]{43}$/);
    expect(await people.found(session.token)).toMatchObject({
      id: session.id,
      userId: id,
      amr: ['pwd'],
      mfaAtMs: null,
    });
    const rows = await people.parts.scopes.inIdentity((unit) =>
      unit.sql<{ row: string }>('SELECT s::text AS row FROM identity.web_sessions s'),
    );
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(`${session.token.slice(4)}|203\\.0\\.113|Test`));
  });

  test('is not found by anything else', async () => {
    const people = await somePeople();
    await annSignedIn(people);
    const form = 'A'.repeat(43);
    for (const token of ['', 'sgs_', 'sgs_x', `sgs_${form}`, `sgr_${form}`, `sgs_${'A'.repeat(100_000)}`])
      expect(await people.sessions.byToken(token)).toBeUndefined();
  });

  test('is another one each time', async () => {
    const people = await somePeople();
    const { session } = await annSignedIn(people);
    const again = await people.signedIn('ann@acme.example');
    expect([again.id, again.token]).not.toContain(session.id);
    expect(again.token).not.toBe(session.token);
  });

  test('ends when it is not used, and moves that end by being used', async () => {
    const people = await somePeople();
    const { session } = await annSignedIn(people);
    await setTimes(
      people,
      `last_seen_at = now() - interval '2 minutes', idle_expires_at = now() + interval '1 second'`,
    );
    expect(await people.sessions.byToken(session.token)).toBeDefined();
    const [listed] = await listSessions(people.parts, (await people.found(session.token)).userId);
    expect(Number(listed?.expiresAt)).toBeGreaterThan(Date.now() + 11 * 60 * 60_000);
    await setTimes(people, `idle_expires_at = now()`);
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
  });

  test('ends for good at its last end, however much it is used', async () => {
    const people = await somePeople();
    const { session } = await annSignedIn(people);
    await setTimes(
      people,
      `expires_at = now() - interval '1 second', last_seen_at = now() - interval '2 minutes'`,
    );
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
  });

  test('ends with its owner’s account', async () => {
    const people = await somePeople();
    const { id, session } = await annSignedIn(people);
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, id, 'disabled'));
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, id, 'active'));
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
  });

  test('that was ended elsewhere is noticed within a second or so', async () => {
    const people = await somePeople();
    const { id, session } = await annSignedIn(people);
    const elsewhere = createSessionLookup(people.parts.scopes);
    expect(await elsewhere.byToken(session.token)).toBeDefined();
    const endedAt = performance.now();
    await revokeSessions(people.parts, id, {}, atHome);
    await eventually(async () => expect(await elsewhere.byToken(session.token)).toBeUndefined());
    expect(performance.now() - endedAt).toBeLessThan(3_000);
  });
});

describe('its owner', () => {
  test('sees their own, with where they are from', async () => {
    const people = await somePeople();
    const { id, session } = await annSignedIn(people);
    await people.person('bob@acme.example');
    await people.signedIn('bob@acme.example');
    expect(await listSessions(people.parts, id)).toEqual([
      expect.objectContaining({
        id: session.id,
        address: atHome.address,
        userAgent: atHome.userAgent,
        amr: ['pwd'],
      }),
    ]);
  });

  test('ends one, or all but the one in use, and nobody else’s', async () => {
    const people = await somePeople();
    const { id, session } = await annSignedIn(people);
    const [second, third] = [
      await people.signedIn('ann@acme.example'),
      await people.signedIn('ann@acme.example'),
    ];
    const bob = await people.person('bob@acme.example');
    const bobs = await people.signedIn('bob@acme.example');
    expect(await revokeSessions(people.parts, bob, { only: session.id }, atHome)).toBe(0);
    expect(await revokeSessions(people.parts, id, { only: newId() }, atHome)).toBe(0);
    expect(await revokeSessions(people.parts, id, { only: second.id }, atHome)).toBe(1);
    const good = async () =>
      Promise.all(
        [session, second, third, bobs].map(async ({ token }) => !!(await people.sessions.byToken(token))),
      );
    expect(await good()).toEqual([true, false, true, true]);
    expect(await revokeSessions(people.parts, id, { except: third.id }, atHome)).toBe(1);
    expect(await good()).toEqual([false, false, true, true]);
  });
});

test('a cookie is bound to its host where there is https', () => {
  expect(sessionCookie(true)).toEqual({
    name: '__Host-swarmgate-session',
    attributes: { httpOnly: true, secure: true, sameSite: 'lax', path: '/', maxAgeMs: 604_800_000 },
  });
  expect(sessionCookie(false)).toMatchObject({ name: 'swarmgate-session', attributes: { secure: false } });
});
