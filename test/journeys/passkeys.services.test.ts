import { describe, expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { addPasskey, beginPasskey } from '#identity/passkeys/add-passkey.ts';
import { beginPasskeySecondFactor, beginPasskeyStepUp } from '#identity/passkeys/begin-showing.ts';
import { listPasskeys, removePasskey, renamePasskey } from '#identity/passkeys/own-passkeys.ts';
import { beginPasskeySignIn, signInWithPasskey } from '#identity/passkeys/sign-in-with-passkey.ts';
import { changePassword } from '#identity/passwords/change-password.ts';
import { listUsers, setUserStatus } from '#identity/people/users.ts';
import { beginTotp, removeTotp } from '#identity/second-factor/enrol-totp.ts';
import { resetSecondFactor } from '#identity/second-factor/second-factors.ts';
import type { NewSession } from '#identity/sessions/web-session.ts';
import { finishSignIn, stepUp } from '#identity/sign-in/finish-sign-in.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import { makeSignInLink, setPasswordByLink, signInByLink } from '#identity/sign-in/sign-in-link.ts';
import { type Authenticator, anAuthenticator, copyOf, type Lies } from '../fakes/authenticator.ts';
import { atHome, chatOrigin, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const ann = 'ann@acme.example';
const bob = 'bob@acme.example';

type Options = { outcome: string; ceremony?: string; options?: object };

function begun(beginning: Options): { ceremony: string; options: object } {
  const { ceremony, options } = beginning;
  if (ceremony === undefined || !options) throw new Error(`It was not begun: ${beginning.outcome}.`);
  return { ceremony, options };
}

const aDevice = (more: Partial<Parameters<typeof anAuthenticator>[0]> = {}) =>
  anAuthenticator({ origin: chatOrigin, ...more });

/** Adds a passkey to the person of a session; answers what came of it. */
async function add(people: SomePeople, session: NewSession, device: Authenticator, lies: Lies = {}) {
  const found = await people.found(session.token);
  const { ceremony, options } = begun(await beginPasskey(people.parts, found, atHome));
  const answer = device.create(options, lies);
  return addPasskey(people.parts, found, { ceremony, answer, name: 'Phone' }, atHome);
}

async function withPasskey(people: SomePeople, email: string, device = aDevice(), session?: NewSession) {
  const added = await add(people, session ?? (await people.signedIn(email)), device);
  if (added.outcome !== 'added') throw new Error(`No passkey was added: ${added.outcome}.`);
  return { ...added, device };
}

/** Signs in with a passkey alone. */
async function enter(people: SomePeople, device: Authenticator, lies: Lies = {}) {
  const { ceremony, options } = begun(await beginPasskeySignIn(people.parts));
  return signInWithPasskey(people.parts, { ceremony, answer: device.get(options, lies) }, atHome);
}

async function challengeOf({ parts }: SomePeople, email = ann): Promise<string> {
  const signed = await signIn(parts, { email, password: goodPassword }, atHome);
  if (signed.outcome !== 'second_factor') throw new Error(`No second factor: ${signed.outcome}.`);
  return signed.challenge;
}

async function reasons({ parts }: SomePeople, action: string): Promise<string[]> {
  const rows = await parts.scopes.inIdentity((unit) =>
    unit.sql<{ reason: string }>(
      'SELECT reason FROM swarmgate.audit_events WHERE action = $1 ORDER BY at, id',
      [action],
    ),
  );
  return rows.map(({ reason }) => reason);
}

describe('a passkey', () => {
  test.each([
    { what: 'ES256, which counts', device: () => aDevice() },
    { what: 'EdDSA, which counts', device: () => aDevice({ algorithm: -8 }) },
    { what: 'with an attestation of its own', device: () => aDevice({ isSelfAttested: true }) },
    {
      what: 'brought to several devices, which does not',
      device: () => aDevice({ counts: false, isBackedUp: true }),
    },
  ])('signs in alone, as both factors, again and again: $what', async ({ device: make }) => {
    const people = await somePeople();
    const id = await people.person(ann, { isOperator: true });
    const { device } = await withPasskey(people, ann, make());
    for (let count = 0; count < 3; count++) {
      const entered = await enter(people, device);
      if (entered.outcome !== 'signed_in') throw new Error(entered.outcome);
      expect(entered.mustAddSecondFactor).toBe(false);
      const session = await people.found(entered.session.token);
      expect(session).toMatchObject({ userId: id, amr: ['passkey'], mfaAtMs: expect.any(Number) });
    }
    const [own] = await listPasskeys(people.parts, id);
    expect(own).toMatchObject({
      name: 'Phone',
      lastUsedAt: expect.any(Date),
      transports: ['internal', 'hybrid'],
    });
    expect((await people.told()).filter((action) => action === 'sign_in.done')).toHaveLength(4);
  });

  test('makes an operator one, which takes a second factor', async () => {
    const people = await somePeople();
    await people.person(ann, { isOperator: true });
    const session = await people.signedIn(ann);
    const isOperator = async (sessionToken: string) =>
      (await people.authenticate({ sessionToken }))?.isOperator;
    expect(await isOperator(session.token)).toBe(false);
    const { device, session: renewed } = await withPasskey(people, ann, aDevice(), session);
    expect(await isOperator(renewed.token)).toBe(true);
    const entered = await enter(people, device);
    expect(entered.outcome === 'signed_in' && (await isOperator(entered.session.token))).toBe(true);
  });

  test('when it is added, the session gets a new token and all others end; the first makes recovery codes', async () => {
    const people = await somePeople();
    await people.person(ann);
    const [here, there] = [await people.signedIn(ann), await people.signedIn(ann)];
    const first = await withPasskey(people, ann, aDevice(), here);
    expect(await people.sessions.byToken(here.token)).toBeUndefined();
    expect(await people.sessions.byToken(there.token)).toBeUndefined();
    expect(await people.found(first.session.token)).toMatchObject({
      id: here.id,
      mfaAtMs: expect.any(Number),
    });
    expect(new Set(first.recoveryCodes).size).toBe(10);
    const second = await withPasskey(people, ann, aDevice(), first.session);
    expect(second.recoveryCodes).toEqual([]);
    expect(await people.told()).toContain('passkey.added');
    const finished = await finishSignIn(
      people.parts,
      { challenge: await challengeOf(people), code: first.recoveryCodes[2] ?? '' },
      atHome,
    );
    expect(finished).toMatchObject({ outcome: 'signed_in' });
  });

  test('is the second factor after a password and after a link', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { device } = await withPasskey(people, ann);
    expect(await signIn(people.parts, { email: ann, password: goodPassword }, atHome)).toMatchObject({
      outcome: 'second_factor',
      methods: ['passkey', 'recovery'],
    });
    const link = await people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, id, 'sign_in'));
    const linked = await signInByLink(people.parts, link.token, atHome);
    if (linked.outcome !== 'second_factor') throw new Error(linked.outcome);
    for (const [challenge, by] of [
      [await challengeOf(people), 'pwd'],
      [linked.challenge, 'link'],
    ] as const) {
      const { ceremony, options } = begun(await beginPasskeySecondFactor(people.parts, challenge));
      expect(options).toMatchObject({ allowCredentials: [{ id: device.credentialIds[0] }] });
      const proof = { challenge, ceremony, answer: device.get(options) };
      const finished = await finishSignIn(people.parts, proof, atHome);
      if (finished.outcome !== 'signed_in') throw new Error(finished.outcome);
      expect((await people.found(finished.session.token)).amr).toEqual([by, 'passkey']);
      expect(await finishSignIn(people.parts, proof, atHome)).toEqual({ outcome: 'refused' });
    }
  });

  test('is shown once more for what is dear, which changes the token', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { device, session, passkey } = await withPasskey(people, ann);
    people.clock.nowMs += 11 * 60_000;
    const old = await people.found(session.token);
    const change = { current: goodPassword, next: 'a slow boat down the river' };
    expect(await changePassword(people.parts, old, change, atHome)).toEqual({ outcome: 'not_fresh' });
    expect(await removePasskey(people.parts, old, passkey.id, atHome)).toEqual({ outcome: 'not_fresh' });
    const { ceremony, options } = begun(await beginPasskeyStepUp(people.parts, old));
    const stepped = await stepUp(people.parts, old, { ceremony, answer: device.get(options) }, atHome);
    if (stepped.outcome !== 'signed_in') throw new Error(stepped.outcome);
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    people.clock.nowMs = Date.now();
    const fresh = await people.found(stepped.session.token);
    const removed = await removePasskey(people.parts, fresh, passkey.id, atHome);
    if (removed.outcome !== 'removed') throw new Error(removed.outcome);
    expect(await people.sessions.byToken(stepped.session.token)).toBeUndefined();
    expect(await people.found(removed.session.token)).toMatchObject({ id: session.id, mfaAtMs: null });
    expect(await listPasskeys(people.parts, id)).toEqual([]);
    expect(await enter(people, device)).toEqual({ outcome: 'refused' });
    await people.signedIn(ann);
  });

  test('is named by its owner', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { passkey } = await withPasskey(people, ann);
    const wish = { id: passkey.id, name: 'Laptop' };
    expect(await renamePasskey(people.parts, id, wish, atHome)).toMatchObject({ name: 'Laptop' });
    const other = await people.person(bob);
    expect(await renamePasskey(people.parts, other, wish, atHome)).toBeUndefined();
    expect(await people.told()).toContain('passkey.renamed');
  });
});

describe('beside an authenticator app', () => {
  test('a passkey is added by who shows the app, and not by who has a password alone', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { session } = await people.withApp(await people.signedIn(ann));
    const fresh = await people.found(session.token);
    const stale = { ...fresh, mfaAtMs: null };
    expect(await beginPasskey(people.parts, stale, atHome)).toEqual({ outcome: 'not_fresh' });
    people.clock.nowMs = Date.now();
    const { recoveryCodes } = await withPasskey(people, ann, aDevice(), session);
    expect(recoveryCodes).toEqual([]);
    expect(await signIn(people.parts, { email: ann, password: goodPassword }, atHome)).toMatchObject({
      methods: ['otp', 'passkey', 'recovery'],
    });
  });

  test('an app is added by who shows the passkey; without new recovery codes', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { session } = await withPasskey(people, ann);
    const stale = { ...(await people.found(session.token)), mfaAtMs: null };
    expect(await beginTotp(people.parts, stale, atHome)).toEqual({ outcome: 'not_fresh' });
    expect((await people.withApp(session)).recoveryCodes).toEqual([]);
  });

  test('either is removed, and the other one and the recovery codes stay', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { session, device, recoveryCodes } = await withPasskey(people, ann);
    const { session: both } = await people.withApp(session);
    people.clock.nowMs = Date.now();
    const entered = await enter(people, device);
    if (entered.outcome !== 'signed_in') throw new Error(entered.outcome);
    expect(await removeTotp(people.parts, await people.found(both.token), atHome)).toEqual({
      outcome: 'removed',
    });
    expect(await people.found(both.token)).toMatchObject({ mfaAtMs: expect.any(Number) });
    expect(await people.found(entered.session.token)).toMatchObject({ mfaAtMs: null });
    const challenge = await challengeOf(people);
    expect(
      await finishSignIn(people.parts, { challenge, code: recoveryCodes[0] ?? '' }, atHome),
    ).toMatchObject({
      outcome: 'signed_in',
    });
  });
});

describe('a registration is refused', () => {
  test.each<{ what: string; lies: Lies }>([
    { what: 'from another page', lies: { origin: 'https://chat.example.evil.example' } },
    { what: 'from another port', lies: { origin: `${chatOrigin}:8443` } },
    { what: 'for another party', lies: { rpId: 'evil.example' } },
    { what: 'with another challenge', lies: { challenge: Buffer.alloc(32, 7).toString('base64url') } },
    { what: 'as the use of one', lies: { type: 'webauthn.get' } },
    { what: 'from within another page', lies: { crossOrigin: true } },
    { what: 'without making sure who it is', lies: { isUserVerified: false } },
    { what: 'without anybody there', lies: { isUserPresent: false } },
    { what: 'of an algorithm that was not asked for', lies: { algorithm: -35 } },
    {
      what: 'with an attestation by somebody’s certificate',
      lies: {
        attestation: {
          format: 'packed',
          statement: new Map<string, unknown>([
            ['alg', -7],
            ['sig', Buffer.alloc(70)],
            ['x5c', [Buffer.alloc(500)]],
          ]),
        },
      },
    },
    {
      what: 'with an attestation of another form',
      lies: { attestation: { format: 'tpm', statement: new Map() } },
    },
  ])('$what', async ({ lies }) => {
    const people = await somePeople();
    const id = await people.person(ann);
    const session = await people.signedIn(ann);
    expect(await add(people, session, aDevice(), lies)).toEqual({ outcome: 'refused' });
    expect(await listPasskeys(people.parts, id)).toEqual([]);
    expect(await reasons(people, 'passkey.refused')).toEqual(['It is no answer to what was asked.']);
    // Nothing has come of it: it is signed in as before, and nothing more is asked.
    expect(await people.found(session.token)).toMatchObject({ mfaAtMs: null });
    await people.signedIn(ann);
  });

  test('when it comes a second time, in another session, too late, or to a question of another kind', async () => {
    const people = await somePeople();
    await people.person(ann);
    await people.person(bob);
    const found = await people.found((await people.signedIn(ann)).token);
    const other = await people.found((await people.signedIn(bob)).token);
    const device = aDevice();
    const begin = async () => begun(await beginPasskey(people.parts, found, atHome));
    const give = (session: typeof found, ceremony: string, answer: ReturnType<Authenticator['create']>) =>
      addPasskey(people.parts, session, { ceremony, answer, name: 'x' }, atHome);

    const one = await begin();
    const answer = device.create(one.options);
    expect(await give(other, one.ceremony, answer)).toEqual({ outcome: 'refused' });
    // Whoever else tried has not used it up.
    const added = await give(found, one.ceremony, answer);
    if (added.outcome !== 'added') throw new Error(added.outcome);
    const again = await people.found(added.session.token);
    expect(await give(again, one.ceremony, answer)).toEqual({ outcome: 'refused' });

    const late = begun(await beginPasskey(people.parts, again, atHome));
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.passkey_ceremonies SET expires_at = expires_at - interval '5 minutes'`),
    );
    expect(await give(again, late.ceremony, aDevice().create(late.options))).toEqual({ outcome: 'refused' });
    const use = begun(await beginPasskeyStepUp(people.parts, again));
    const toAdd = begun(await beginPasskey(people.parts, again, atHome));
    const crossed = aDevice().create({
      ...toAdd.options,
      challenge: (use.options as { challenge: string }).challenge,
    });
    expect(await give(again, use.ceremony, crossed)).toEqual({ outcome: 'refused' });
    expect(await give(again, 'sgp_nothing', crossed)).toEqual({ outcome: 'refused' });
  });

  test('of a passkey that is somebody’s already, theirs or another’s', async () => {
    const people = await somePeople();
    await people.person(ann);
    const idOfBob = await people.person(bob);
    const { device, session } = await withPasskey(people, ann);
    const [credentialId = ''] = device.credentialIds;
    expect(await add(people, session, aDevice(), { credentialId })).toEqual({ outcome: 'known' });
    const bobs = await people.signedIn(bob);
    expect(await add(people, bobs, aDevice(), { credentialId })).toEqual({ outcome: 'known' });
    // Not even recovery codes have come of it.
    expect(await people.found(bobs.token)).toMatchObject({ mfaAtMs: null });
    const [codes] = await people.parts.scopes.inIdentity((unit) =>
      unit.sql('SELECT count(*)::int AS count FROM identity.recovery_codes WHERE user_id = $1', [idOfBob]),
    );
    expect(codes).toEqual({ count: 0 });
    await expect(async () => add(people, session, device)).rejects.toThrow(
      'There is one of this authenticator.',
    );
  });

  test('of more than twenty', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { session } = await withPasskey(people, ann);
    await people.database.asOwner((client) =>
      client.query(
        `INSERT INTO identity.passkeys (id, user_id, credential_id, public_key, sign_count, name, transports, is_backed_up)
           SELECT gen_random_uuid(), $1, decode(md5(n::text), 'hex'), '\\x00', 0, 'one', '{}', false FROM generate_series(1, 19) n`,
        [id],
      ),
    );
    expect(await beginPasskey(people.parts, await people.found(session.token), atHome)).toEqual({
      outcome: 'too_many',
    });
  });

  test('long after the sign-in', async () => {
    const people = await somePeople();
    await people.person(ann);
    const found = await people.found((await people.signedIn(ann)).token);
    people.clock.nowMs += 11 * 60_000;
    expect(await beginPasskey(people.parts, found, atHome)).toEqual({ outcome: 'not_fresh' });
  });
});

describe('a sign-in is refused', () => {
  test.each<{ what: string; lies: Lies; reason?: string }>([
    { what: 'from another page', lies: { origin: 'https://evil.example' } },
    { what: 'without https', lies: { origin: chatOrigin.replace('https', 'http') } },
    { what: 'for another party', lies: { rpId: 'example' } },
    { what: 'with another challenge', lies: { challenge: Buffer.alloc(32, 7).toString('base64url') } },
    { what: 'as the making of one', lies: { type: 'webauthn.create' } },
    { what: 'from within another page', lies: { crossOrigin: true } },
    { what: 'without making sure who it is', lies: { isUserVerified: false } },
    { what: 'without anybody there', lies: { isUserPresent: false } },
    { what: 'with a broken signature', lies: { isSignatureBroken: true } },
    { what: 'of nobody', lies: { userHandle: null } },
    { what: 'as somebody else', lies: { userHandle: Buffer.alloc(16, 7).toString('base64url') } },
    {
      what: 'with a passkey of nobody’s',
      lies: { credentialId: Buffer.alloc(32, 7).toString('base64url') },
      reason: 'Nobody has that passkey.',
    },
  ])('$what', async ({ lies, reason = 'The passkey did not sign what it was asked to.' }) => {
    const people = await somePeople();
    await people.person(ann);
    const { device } = await withPasskey(people, ann);
    expect(await enter(people, device, lies)).toEqual({ outcome: 'refused' });
    expect(await reasons(people, 'sign_in.refused')).toEqual([reason]);
    expect(people.securityEvents).toEqual([]);
    expect(await enter(people, device)).toMatchObject({ outcome: 'signed_in' });
  });

  test('when the same answer comes again, to another question, or too late', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { device, session } = await withPasskey(people, ann, aDevice({ counts: false }));
    const give = (ceremony: string, answer: ReturnType<Authenticator['get']>) =>
      signInWithPasskey(people.parts, { ceremony, answer }, atHome);
    const one = begun(await beginPasskeySignIn(people.parts));
    const two = begun(await beginPasskeySignIn(people.parts));
    const answer = device.get(one.options);
    expect(await give(two.ceremony, answer)).toEqual({ outcome: 'refused' });
    expect(await give(one.ceremony, answer)).toMatchObject({ outcome: 'signed_in' });
    expect(await give(one.ceremony, answer)).toEqual({ outcome: 'refused' });

    const late = begun(await beginPasskeySignIn(people.parts));
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.passkey_ceremonies SET expires_at = expires_at - interval '5 minutes'`),
    );
    expect(await give(late.ceremony, device.get(late.options))).toEqual({ outcome: 'refused' });
    await people.parts.scopes.call('identity.forget_passkey_ceremonies_v1', []);

    // What is asked in a session, or in a sign-in that is under way, is no question to whoever comes.
    const found = await people.found(session.token);
    const stepping = begun(await beginPasskeyStepUp(people.parts, found));
    expect(await give(stepping.ceremony, device.get(stepping.options))).toEqual({ outcome: 'refused' });
    const challenge = await challengeOf(people);
    const second = begun(await beginPasskeySecondFactor(people.parts, challenge));
    expect(await give(second.ceremony, device.get(second.options))).toEqual({ outcome: 'refused' });
  });

  test('of somebody who is disabled', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { device } = await withPasskey(people, ann);
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, id, 'disabled'));
    expect(await enter(people, device)).toEqual({ outcome: 'refused' });
    expect(await reasons(people, 'sign_in.refused')).toEqual(['The account is disabled.']);
  });

  test('after many failures, of one passkey from one network', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { device } = await withPasskey(people, ann);
    const outcomes = [];
    for (let count = 0; count < 6; count++)
      outcomes.push((await enter(people, device, { isSignatureBroken: true })).outcome);
    expect(outcomes).toEqual([...Array(5).fill('refused'), 'blocked']);
    expect(await enter(people, device)).toMatchObject({
      outcome: 'blocked',
      retryAfterMs: expect.any(Number),
    });
    expect(people.securityEvents).toContain('lockout');
  });

  test('once, of many that bring one answer at the same moment', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { device } = await withPasskey(people, ann, aDevice({ counts: false }));
    const { ceremony, options } = begun(await beginPasskeySignIn(people.parts));
    const answer = device.get(options);
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => signInWithPasskey(people.parts, { ceremony, answer }, atHome)),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'signed_in')).toHaveLength(1);
  });

  test('where browsers have no passkeys', async () => {
    const people = await somePeople();
    await people.person(ann);
    const parts = { ...people.parts, relyingParty: undefined };
    expect(await beginPasskeySignIn(parts)).toEqual({ outcome: 'unavailable' });
    const found = await people.found((await people.signedIn(ann)).token);
    expect(await beginPasskey(parts, found, atHome)).toEqual({ outcome: 'unavailable' });
  });
});

describe('a copied authenticator', () => {
  async function copied() {
    const people = await somePeople();
    await people.person(ann);
    const { device } = await withPasskey(people, ann);
    const thief = copyOf(device);
    expect(await enter(people, device)).toMatchObject({ outcome: 'signed_in' });
    return { people, device, thief };
  }

  test('is noticed by its count, at a sign-in', async () => {
    const { people, device, thief } = await copied();
    expect(await enter(people, thief)).toEqual({ outcome: 'refused' });
    expect(people.securityEvents).toEqual(['passkey_copied']);
    expect(await reasons(people, 'passkey.copied')).toEqual([
      'The passkey has not counted on: there is a copy of it.',
    ]);
    expect(await enter(people, device)).toMatchObject({ outcome: 'signed_in' });
  });

  test('and as a second factor', async () => {
    const { people, thief } = await copied();
    const challenge = await challengeOf(people);
    const { ceremony, options } = begun(await beginPasskeySecondFactor(people.parts, challenge));
    const proof = { challenge, ceremony, answer: thief.get(options) };
    expect(await finishSignIn(people.parts, proof, atHome)).toEqual({ outcome: 'refused' });
    expect(people.securityEvents).toEqual(['passkey_copied']);
  });

  test('is not made of an honest one by whoever cannot sign', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { device } = await withPasskey(people, ann);
    expect(await enter(people, device, { signCount: 0, isSignatureBroken: true })).toEqual({
      outcome: 'refused',
    });
    expect(people.securityEvents).toEqual([]);
  });
});

describe('a second factor is not shown', () => {
  test('by the passkey of somebody else, nor in another sign-in', async () => {
    const people = await somePeople();
    await people.person(ann);
    await people.person(bob);
    const { device } = await withPasskey(people, ann);
    const { device: bobs } = await withPasskey(people, bob);
    const challenge = await challengeOf(people);
    const { ceremony, options } = begun(await beginPasskeySecondFactor(people.parts, challenge));
    const foreign = bobs.get({ ...options, allowCredentials: [] });
    expect(await finishSignIn(people.parts, { challenge, ceremony, answer: foreign }, atHome)).toEqual({
      outcome: 'refused',
    });

    const other = await challengeOf(people);
    const mine = begun(await beginPasskeySecondFactor(people.parts, challenge));
    const answer = device.get(mine.options);
    const elsewhere = { challenge: other, ceremony: mine.ceremony, answer };
    expect(await finishSignIn(people.parts, elsewhere, atHome)).toEqual({ outcome: 'refused' });
    expect(
      await finishSignIn(people.parts, { challenge, ceremony: mine.ceremony, answer }, atHome),
    ).toMatchObject({ outcome: 'signed_in' });
  });

  test('in another session', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { device, session } = await withPasskey(people, ann);
    const entered = await enter(people, device);
    if (entered.outcome !== 'signed_in') throw new Error(entered.outcome);
    const [here, there] = [await people.found(session.token), await people.found(entered.session.token)];
    const { ceremony, options } = begun(await beginPasskeyStepUp(people.parts, here));
    expect(await stepUp(people.parts, there, { ceremony, answer: device.get(options) }, atHome)).toEqual({
      outcome: 'refused',
    });
  });

  test('by who has none', async () => {
    const people = await somePeople();
    await people.person(ann);
    const { session } = await people.withApp(await people.signedIn(ann));
    expect(await beginPasskeyStepUp(people.parts, await people.found(session.token))).toEqual({
      outcome: 'none',
    });
    expect(await beginPasskeySecondFactor(people.parts, await challengeOf(people))).toEqual({
      outcome: 'none',
    });
    expect(await beginPasskeySecondFactor(people.parts, 'sgc_none')).toEqual({ outcome: 'refused' });
  });
});

describe('what an operator does', () => {
  test('takes passkeys away with the second factor, and lists who has some', async () => {
    const people = await somePeople();
    const id = await people.person(ann);
    const { device, session } = await withPasskey(people, ann);
    const list = () => people.parts.scopes.inIdentity((unit) => listUsers(unit, { limit: 10 }));
    expect(await list()).toMatchObject([{ hasSecondFactor: true, passkeyCount: 1 }]);
    await people.parts.scopes.inIdentity((unit) => resetSecondFactor(unit, id));
    expect(await list()).toMatchObject([{ hasSecondFactor: false, passkeyCount: 0 }]);
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    expect(await enter(people, device)).toEqual({ outcome: 'refused' });
    await people.signedIn(ann);
  });

  test('a link that confirms an address takes them away from who made the account', async () => {
    const people = await somePeople();
    const id = await unconfirmed(people);
    const { device } = await withPasskey(people, ann);
    expect(await enter(people, device)).toMatchObject({ outcome: 'signed_in' });
    const link = await people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, id, 'set_password'));
    const password = 'a boat that nobody knows';
    expect(await setPasswordByLink(people.parts, { token: link.token, password }, atHome)).toEqual({
      outcome: 'set',
    });
    expect(await enter(people, device)).toEqual({ outcome: 'refused' });
    expect(await signIn(people.parts, { email: ann, password }, atHome)).toMatchObject({
      outcome: 'signed_in',
    });
  });

  test('also one that they are adding at that moment', async () => {
    const people = await somePeople();
    const id = await unconfirmed(people);
    const found = await people.found((await people.signedIn(ann)).token);
    const { ceremony, options } = begun(await beginPasskey(people.parts, found, atHome));
    const device = aDevice();
    const link = await people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, id, 'sign_in'));
    const wish = { ceremony, answer: device.create(options), name: 'x' };
    await Promise.all([
      addPasskey(people.parts, found, wish, atHome),
      signInByLink(people.parts, link.token, atHome),
    ]);
    expect(await listPasskeys(people.parts, id)).toEqual([]);
  });

  /** Somebody whose address nobody stands behind, with a password. */
  async function unconfirmed(people: SomePeople): Promise<Uuid> {
    const id = await people.person(ann);
    await people.database.asOwner((client) =>
      client.query('UPDATE identity.users SET email_verified_at = NULL WHERE id = $1', [id]),
    );
    return id;
  }
});
