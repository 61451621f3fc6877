import { hash } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';
import { createAttempts } from '#identity/attempts.ts';
import { changePassword } from '#identity/passwords/change-password.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import { makeSignInLink, setPasswordByLink, signInByLink } from '#identity/sign-in/sign-in-link.ts';
import { atHome, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const elsewhere = (number: number) => ({ address: `198.51.100.${number}` });

const tryWrong = ({ parts }: SomePeople, email: string, client = atHome) =>
  signIn(parts, { email, password: 'not the right one' }, client);

/** Lets what is blocked be tried again, as time would. */
const unblock = ({ database }: SomePeople) =>
  database.asOwner((client) => client.query('UPDATE identity.attempts SET blocked_until = now()'));

describe('with a password', () => {
  test('its owner gets a session, however the address is written', async () => {
    const people = await somePeople();
    const ann = await people.person('ann@acme.example');
    const signed = await signIn(
      people.parts,
      { email: ' Ann@ACME.example ', password: goodPassword },
      atHome,
    );
    expect(signed).toMatchObject({
      outcome: 'signed_in',
      mustAddSecondFactor: false,
      session: { userId: ann },
    });
    expect(await people.told()).toEqual(['sign_in.done']);
  });

  test('nothing tells whether an address is anybody’s', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const disabled = await people.person('bob@acme.example');
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, disabled, 'disabled'));
    const outcomes = [];
    for (const email of ['ann@acme.example', 'nobody@acme.example', 'bob@acme.example', 'no address', ''])
      outcomes.push(await tryWrong(people, email));
    outcomes.push(await signIn(people.parts, { email: 'bob@acme.example', password: goodPassword }, atHome));
    expect(outcomes).toEqual(Array(6).fill({ outcome: 'refused' }));
    // Six tries each, from networks of their own: the lockout is the same.
    for (const email of ['ann@acme.example', 'nobody@acme.example']) {
      const blocked = [];
      for (let count = 0; count < 6; count++)
        blocked.push((await tryWrong(people, email, elsewhere(9))).outcome);
      expect(blocked).toEqual([...Array(5).fill('refused'), 'blocked']);
    }
  });

  test('it takes as long when there is nobody', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const timeOf = async (email: string) => {
      const startedAt = performance.now();
      await tryWrong(people, email, elsewhere(1));
      return performance.now() - startedAt;
    };
    await timeOf('warm@acme.example');
    // The hash is by far the longest part; a sign-in that left it out would take a fraction.
    const [somebody, nobody] = [await timeOf('ann@acme.example'), await timeOf('nobody@acme.example')];
    expect(nobody).toBeGreaterThan(somebody / 4);
  });

  test('a hash of other parameters is made anew, and still fits', async () => {
    const people = await somePeople();
    const ann = await people.person('ann@acme.example');
    const weak = await hash(goodPassword, { memoryCost: 4_096, timeCost: 1, parallelism: 1 });
    const kept = () =>
      people.parts.scopes.inIdentity(async (unit) => {
        const [row] = await unit.sql<{ hash: string }>(
          'SELECT hash FROM identity.passwords WHERE user_id = $1',
          [ann],
        );
        return row?.hash;
      });
    await people.parts.scopes.inIdentity((unit) =>
      unit.sql('UPDATE identity.passwords SET hash = $2 WHERE user_id = $1', [ann, weak]),
    );
    await tryWrong(people, 'ann@acme.example');
    expect(await kept()).toBe(weak);
    await people.signedIn('ann@acme.example');
    expect(await kept()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await people.signedIn('ann@acme.example');
  });

  test('what is refused is told, without the address', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    await tryWrong(people, 'ann@acme.example');
    await tryWrong(people, 'secret-address@acme.example');
    const rows = await people.parts.scopes.inIdentity((unit) =>
      unit.sql<{ row: string }>('SELECT a::text AS row FROM swarmgate.audit_events a'),
    );
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/secret-address|acme\.example|not the right one|203\.0\.113/);
  });
});

describe('guessing', () => {
  test('is stopped after five tries from one network, however many at once, and after a restart', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => tryWrong(people, 'ann@acme.example')),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'refused')).toHaveLength(5);
    expect(outcomes.filter(({ outcome }) => outcome === 'blocked')).toHaveLength(35);
    const { scopes, keyRing } = people.parts;
    const restarted = { ...people.parts, attempts: createAttempts(scopes, keyRing) };
    // Not even the right password goes through now, or a guesser would know it by that.
    expect(
      await signIn(restarted, { email: 'ann@acme.example', password: goodPassword }, atHome),
    ).toMatchObject({
      outcome: 'blocked',
    });
    expect(people.securityEvents).toContain('lockout');
    expect(await people.told()).toContain('sign_in.blocked');
  });

  test('waits longer each time, a quarter of an hour at most', async () => {
    const people = await somePeople();
    const waits: number[] = [];
    for (let count = 0; count < 4; count++) await tryWrong(people, 'ann@acme.example');
    for (let count = 0; count < 7; count++) {
      expect(await tryWrong(people, 'ann@acme.example')).toEqual({ outcome: 'refused' });
      const blocked = await tryWrong(people, 'ann@acme.example');
      if (blocked.outcome === 'blocked') waits.push(blocked.retryAfterMs / 1_000);
      await unblock(people);
    }
    for (const [index, seconds] of [30, 60, 120, 240, 480, 900, 900].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(seconds);
      expect(waits[index]).toBeGreaterThan(seconds - 20);
    }
  });

  test('does not keep its owner out elsewhere, and a success begins anew', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    for (let count = 0; count < 6; count++) await tryWrong(people, 'ann@acme.example', elsewhere(1));
    await people.signedIn('ann@acme.example');
    for (let count = 0; count < 4; count++) await tryWrong(people, 'ann@acme.example');
    await people.signedIn('ann@acme.example');
    for (let count = 0; count < 4; count++) await tryWrong(people, 'ann@acme.example');
    await people.signedIn('ann@acme.example');
  });

  test('at one account from many networks is stopped too, and so is one network at many accounts', async () => {
    const people = await somePeople();
    for (let count = 0; count < 25; count++)
      expect(await tryWrong(people, 'ann@acme.example', elsewhere(count))).toEqual({ outcome: 'refused' });
    expect(await tryWrong(people, 'ann@acme.example', elsewhere(99))).toMatchObject({ outcome: 'blocked' });

    const house = { address: '2001:db8:1:2:3:4:5:6' };
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => tryWrong(people, `person-${n}@acme.example`, house)),
    );
    expect(await tryWrong(people, 'other@acme.example', { address: '2001:db8:1:2::1' })).toMatchObject({
      outcome: 'blocked',
    });
    expect(await tryWrong(people, 'other@acme.example', { address: '2001:db8:1:3::1' })).toEqual({
      outcome: 'refused',
    });
  });

  test('is counted without keeping whose address it was', async () => {
    const people = await somePeople();
    await tryWrong(people, 'ann@acme.example');
    const rows = await people.parts.scopes.inIdentity((unit) =>
      unit.sql<{ key: Buffer }>('SELECT key FROM identity.attempts'),
    );
    expect(rows.map(({ key }) => key.length)).toEqual([32, 32, 32]);
  });
});

describe('changing a password', () => {
  test('takes the old one, gives the session a new token and ends all others', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const [here, there] = [
      await people.signedIn('ann@acme.example'),
      await people.signedIn('ann@acme.example'),
    ];
    const session = await people.found(here.token);
    const next = 'a slow boat downstream';
    const change = (current: string, to: string) =>
      changePassword(people.parts, session, { current, next: to }, atHome);
    expect(await change('not the right one', next)).toEqual({ outcome: 'refused' });
    expect(await change(goodPassword, 'password1234')).toEqual({
      outcome: 'not_good_enough',
      fault: 'too_common',
    });
    const changed = await change(goodPassword, next);
    if (changed.outcome !== 'changed') throw new Error(changed.outcome);
    expect(await people.sessions.byToken(here.token)).toBeUndefined();
    expect(await people.sessions.byToken(there.token)).toBeUndefined();
    expect(await people.found(changed.session.token)).toMatchObject({ id: here.id });
    expect(await signIn(people.parts, { email: 'ann@acme.example', password: goodPassword }, atHome)).toEqual(
      {
        outcome: 'refused',
      },
    );
    expect(await signIn(people.parts, { email: 'ann@acme.example', password: next }, atHome)).toMatchObject({
      outcome: 'signed_in',
    });
  });
});

describe('a link', () => {
  test('sets a password once, and ends what there was', async () => {
    const people = await somePeople();
    const ann = await people.person('ann@acme.example');
    const before = await people.signedIn('ann@acme.example');
    const { token } = await people.parts.scopes.inIdentity((unit) =>
      makeSignInLink(unit, ann, 'set_password'),
    );
    const password = 'a slow boat downstream';
    const set = (given = token, chosen = password) =>
      setPasswordByLink(people.parts, { token: given, password: chosen }, atHome);
    expect(await set(token, 'short')).toEqual({ outcome: 'not_good_enough', fault: 'too_short' });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => set()));
    expect(outcomes.filter(({ outcome }) => outcome === 'set')).toHaveLength(1);
    expect(await people.sessions.byToken(before.token)).toBeUndefined();
    expect(await signIn(people.parts, { email: 'ann@acme.example', password }, atHome)).toMatchObject({
      outcome: 'signed_in',
    });
    for (const bad of ['', 'sgl_', `${token}x`, token.replace('sgl_', 'sgs_')])
      expect(await set(bad)).toEqual({ outcome: 'refused' });
  });

  test('signs in once, is of no other use, and a newer one takes its place', async () => {
    const people = await somePeople();
    const ann = await people.person('ann@acme.example');
    const make = () => people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, ann, 'sign_in'));
    const [old, link] = [await make(), await make()];
    expect(await setPasswordByLink(people.parts, { ...link, password: goodPassword }, atHome)).toEqual({
      outcome: 'refused',
    });
    expect(await signInByLink(people.parts, old.token, atHome)).toEqual({ outcome: 'refused' });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => signInByLink(people.parts, link.token, atHome)),
    );
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([...Array(4).fill('refused'), 'signed_in']);
  });

  test('expires', async () => {
    const people = await somePeople();
    const ann = await people.person('ann@acme.example');
    const { token } = await people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, ann, 'sign_in'));
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.sign_in_links SET expires_at = now() - interval '1 second'`),
    );
    expect(await signInByLink(people.parts, token, atHome)).toEqual({ outcome: 'refused' });
  });
});
