import { describe, expect, test } from 'vitest';
import { changePassword } from '#identity/passwords/change-password.ts';
import {
  beginTotp,
  confirmTotp,
  removeTotp,
  renewRecoveryCodes,
} from '#identity/second-factor/enrol-totp.ts';
import { finishSignIn, stepUp } from '#identity/sign-in/finish-sign-in.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import { makeSignInLink, signInByLink } from '#identity/sign-in/sign-in-link.ts';
import { atHome, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

async function challengeOf({ parts }: SomePeople, email = 'ann@acme.example'): Promise<string> {
  const signed = await signIn(parts, { email, password: goodPassword }, atHome);
  if (signed.outcome !== 'second_factor')
    throw new Error(`No second factor was asked for: ${signed.outcome}.`);
  return signed.challenge;
}

async function annWithApp(people: SomePeople) {
  const id = await people.person('ann@acme.example');
  return { id, ...(await people.withApp(await people.signedIn('ann@acme.example'))) };
}

describe('an authenticator app', () => {
  test('is asked for from then on, on every way in', async () => {
    const people = await somePeople();
    const { id, app } = await annWithApp(people);
    const finished = await finishSignIn(
      people.parts,
      { challenge: await challengeOf(people), code: app.nextCode() },
      atHome,
    );
    if (finished.outcome !== 'signed_in') throw new Error(finished.outcome);
    const session = await people.found(finished.session.token);
    expect(session).toMatchObject({ amr: ['pwd', 'otp'], mfaAtMs: expect.any(Number) });
    const link = await people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, id, 'sign_in'));
    expect(await signInByLink(people.parts, link.token, atHome)).toMatchObject({ outcome: 'second_factor' });
  });

  test('when it is added, the session gets a new token and all others end', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const [here, there] = [
      await people.signedIn('ann@acme.example'),
      await people.signedIn('ann@acme.example'),
    ];
    const { session, recoveryCodes } = await people.withApp(here);
    expect(await people.sessions.byToken(here.token)).toBeUndefined();
    expect(await people.sessions.byToken(there.token)).toBeUndefined();
    expect(await people.found(session.token)).toMatchObject({ id: here.id, mfaAtMs: expect.any(Number) });
    expect(new Set(recoveryCodes).size).toBe(10);
    expect(await people.told()).toContain('second_factor.added');
  });

  test('counts only once a code of it was shown', async () => {
    const people = await somePeople();
    await people.person('ann@acme.example');
    const found = await people.found((await people.signedIn('ann@acme.example')).token);
    await beginTotp(people.parts, found, atHome);
    expect(await confirmTotp(people.parts, found, '000000', atHome)).toEqual({ outcome: 'refused' });
    await people.signedIn('ann@acme.example');
  });

  test('is not replaced by whoever has the session, and not added to an old one', async () => {
    const people = await somePeople();
    const { session } = await annWithApp(people);
    expect(await beginTotp(people.parts, await people.found(session.token), atHome)).toEqual({
      outcome: 'has_one',
    });
    await people.person('bob@acme.example');
    const bob = await people.found((await people.signedIn('bob@acme.example')).token);
    people.clock.nowMs += 60 * 60_000;
    expect(await beginTotp(people.parts, bob, atHome)).toEqual({ outcome: 'not_fresh' });
  });

  test('its secret is sealed, in its own row', async () => {
    const people = await somePeople();
    await annWithApp(people);
    const [row] = await people.parts.scopes.inIdentity((unit) =>
      unit.sql<{ sealed_secret: string }>('SELECT sealed_secret FROM identity.totp'),
    );
    expect(row?.sealed_secret).toMatch(/^v1\./);
  });
});

describe('a code', () => {
  test('is good once, however many come with it at once', async () => {
    const people = await somePeople();
    const { app } = await annWithApp(people);
    const challenges = [];
    for (let count = 0; count < 4; count++) challenges.push(await challengeOf(people));
    const code = app.nextCode();
    const outcomes = await Promise.all(
      challenges.map((challenge) => finishSignIn(people.parts, { challenge, code }, atHome)),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'signed_in')).toHaveLength(1);
    // Nor is the one before it, though its time is not over.
    people.clock.nowMs -= 30_000;
    expect(
      await finishSignIn(people.parts, { challenge: await challengeOf(people), code: app.code() }, atHome),
    ).toEqual({ outcome: 'refused' });
  });

  test('and so is what it completes', async () => {
    const people = await somePeople();
    const { app } = await annWithApp(people);
    const challenge = await challengeOf(people);
    const finish = () => finishSignIn(people.parts, { challenge, code: app.nextCode() }, atHome);
    expect(await finish()).toMatchObject({ outcome: 'signed_in' });
    expect(await finish()).toEqual({ outcome: 'refused' });
  });

  test('and so it is when several good codes come for it at once, which leaves the others good', async () => {
    const people = await somePeople();
    const { recoveryCodes } = await annWithApp(people);
    const finish = (challenge: string, code: string) =>
      finishSignIn(people.parts, { challenge, code }, atHome);
    const challenge = await challengeOf(people);
    const three = recoveryCodes.slice(0, 3);
    const outcomes = await Promise.all(three.map((code) => finish(challenge, code)));
    const used = outcomes.map(({ outcome }) => outcome === 'signed_in');
    expect(used.filter((isUsed) => isUsed)).toHaveLength(1);
    for (const [index, code] of three.entries())
      expect((await finish(await challengeOf(people), code)).outcome).toBe(
        used[index] ? 'refused' : 'signed_in',
      );
  });

  test('comes too late after five minutes', async () => {
    const people = await somePeople();
    const { app } = await annWithApp(people);
    const challenge = await challengeOf(people);
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.sign_in_challenges SET expires_at = expires_at - interval '5 minutes'`),
    );
    expect(await finishSignIn(people.parts, { challenge, code: app.nextCode() }, atHome)).toEqual({
      outcome: 'refused',
    });
  });

  test('cannot be guessed: five tries, counted for the account', async () => {
    const people = await somePeople();
    const { app } = await annWithApp(people);
    const guess = async () =>
      (await finishSignIn(people.parts, { challenge: await challengeOf(people), code: '000000' }, atHome))
        .outcome;
    const outcomes = [];
    for (let count = 0; count < 6; count++) outcomes.push(await guess());
    expect(outcomes).toEqual([...Array(5).fill('refused'), 'blocked']);
    expect(
      await finishSignIn(
        people.parts,
        { challenge: await challengeOf(people), code: app.nextCode() },
        atHome,
      ),
    ).toMatchObject({ outcome: 'blocked', retryAfterMs: expect.any(Number) });
    expect(people.securityEvents).toContain('lockout');
  });

  test('of somebody else is none', async () => {
    const people = await somePeople();
    await annWithApp(people);
    await people.person('bob@acme.example');
    const { app: bobs } = await people.withApp(await people.signedIn('bob@acme.example'));
    expect(
      await finishSignIn(
        people.parts,
        { challenge: await challengeOf(people), code: bobs.nextCode() },
        atHome,
      ),
    ).toEqual({ outcome: 'refused' });
  });
});

describe('a recovery code', () => {
  test('is good once, as people type it', async () => {
    const people = await somePeople();
    const { recoveryCodes } = await annWithApp(people);
    const typed = (recoveryCodes[3] ?? '').toUpperCase().replaceAll('-', ' ');
    const finish = async () =>
      finishSignIn(people.parts, { challenge: await challengeOf(people), code: typed }, atHome);
    const outcomes = [await finish(), await finish()];
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['signed_in', 'refused']);
  });

  test('is good no more when new ones were made', async () => {
    const people = await somePeople();
    const { recoveryCodes, session } = await annWithApp(people);
    const renewed = await renewRecoveryCodes(people.parts, await people.found(session.token), atHome);
    if (renewed.outcome !== 'renewed') throw new Error(renewed.outcome);
    const use = async (code = '') =>
      finishSignIn(people.parts, { challenge: await challengeOf(people), code }, atHome);
    expect(await use(recoveryCodes[0])).toEqual({ outcome: 'refused' });
    expect(await use(renewed.recoveryCodes[0])).toMatchObject({ outcome: 'signed_in' });
  });
});

describe('what is dear', () => {
  test('is told of, also when it was refused, as done by whoever is signed in', async () => {
    const people = await somePeople();
    const id = await people.person('ann@acme.example');
    const before = await people.found((await people.signedIn('ann@acme.example')).token);
    await beginTotp(people.parts, before, atHome);
    await confirmTotp(people.parts, before, '000000', atHome);
    await changePassword(people.parts, before, { current: 'not this one', next: 'a slow boat down' }, atHome);
    const { session } = await people.withApp(await people.signedIn('ann@acme.example'));
    const after = await people.found(session.token);
    await stepUp(people.parts, after, { code: '000000' }, atHome);
    people.clock.nowMs += 11 * 60_000;
    await removeTotp(people.parts, after, atHome);
    const told = (action: string, outcome = 'refused') => ({ action, outcome, by: id });
    expect(await people.toldBy()).toEqual([
      told('sign_in.done', 'allowed'),
      told('second_factor.begun', 'allowed'),
      told('second_factor.refused'),
      told('password.refused'),
      told('sign_in.done', 'allowed'),
      told('second_factor.begun', 'allowed'),
      told('second_factor.added', 'allowed'),
      told('second_factor.refused'),
      told('second_factor.refused'),
    ]);
  });

  test('needs the second factor to have been shown lately, and showing it changes the token', async () => {
    const people = await somePeople();
    const { session, app } = await annWithApp(people);
    people.clock.nowMs += 11 * 60_000;
    const old = await people.found(session.token);
    expect(await removeTotp(people.parts, old, atHome)).toEqual({ outcome: 'not_fresh' });
    expect(await stepUp(people.parts, old, { code: '000000' }, atHome)).toEqual({ outcome: 'refused' });
    const stepped = await stepUp(people.parts, old, { code: app.nextCode() }, atHome);
    if (stepped.outcome !== 'signed_in') throw new Error(stepped.outcome);
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    // The database's clock did not go on with the test's.
    people.clock.nowMs = Date.now();
    expect(await removeTotp(people.parts, await people.found(stepped.session.token), atHome)).toEqual({
      outcome: 'removed',
    });
    expect(await people.found(stepped.session.token)).toMatchObject({ mfaAtMs: null });
    await people.signedIn('ann@acme.example');
  });
});
