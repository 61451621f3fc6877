import { describe, expect, test } from 'vitest';
import type { IdentityParts } from '#identity/identity-parts.ts';
import { addPasskey, beginPasskey } from '#identity/passkeys/add-passkey.ts';
import { firstOperatorEmail, offerFirstSignIn } from '#identity/people/first-operator.ts';
import { findUser, listUsers, setUserStatus } from '#identity/people/users.ts';
import {
  makeSignInLink,
  setPasswordByLink,
  signInAtThisMachine,
  signInByLink,
} from '#identity/sign-in/sign-in-link.ts';
import { anAuthenticator } from '../fakes/authenticator.ts';
import { atHome, chatOrigin, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const here = { address: '127.0.0.1', isFromThisMachine: true };

/** An installation that only its own machine reaches, with nobody in it. */
async function aNewInstallation() {
  const people: SomePeople = await somePeople();
  const parts: IdentityParts = { ...people.parts, secondFactorOf: 'nobody' };
  const offer = () => offerFirstSignIn(parts, { tenant: 'demo' });
  const offered = async () => {
    const link = await offer();
    if (!link) throw new Error('Nothing was offered.');
    return link.token;
  };
  const enter = (token: string, from: typeof here = here) => signInAtThisMachine(parts, token, from);
  const entered = async () => {
    const signed = await enter(await offered());
    if (signed.outcome !== 'signed_in') throw new Error(signed.outcome);
    return signed;
  };
  return { people, parts, offer, offered, enter, entered };
}

const list = ({ parts }: SomePeople) => parts.scopes.inIdentity((unit) => listUsers(unit, { limit: 10 }));

describe('the link that the service prints', () => {
  test('signs in an operator of whom nothing more is asked, once', async () => {
    const { people, offered, enter } = await aNewInstallation();
    const token = await offered();
    const signed = await enter(token);
    expect(signed).toMatchObject({ outcome: 'signed_in', mustAddSecondFactor: false });
    expect(await enter(token)).toEqual({ outcome: 'refused' });
    expect(await list(people)).toMatchObject([
      { email: firstOperatorEmail, isOperator: true, isConfirmed: true, hasSecondFactor: false },
    ]);
    expect(await people.told()).toEqual([
      'user.created',
      'sign_in_link.made',
      'sign_in.done',
      'sign_in.refused',
    ]);
  });

  test('makes its operator owner of the demo tenant, and does so once', async () => {
    const { people, offered } = await aNewInstallation();
    const { tenant } = await people.organization();
    await people.database.asOwner((client) =>
      client.query(`UPDATE directory.tenants SET slug = 'demo' WHERE id = $1`, [tenant]),
    );
    await offered();
    await offered();
    const [operator] = await list(people);
    expect(operator && (await people.grants.grantOf(operator.id, tenant))?.roles).toEqual([
      { kind: 'builtin', name: 'owner' },
    ]);
    const told = await people.parts.scopes.inTenant(tenant, (unit) =>
      unit.sql('SELECT action, actor_kind FROM swarmgate.audit_events'),
    );
    expect(told).toEqual([{ action: 'member.added', actor_kind: 'system' }]);
  });

  test('is good for an hour, and until the next one', async () => {
    const { people, offered, enter } = await aNewInstallation();
    const [first, second] = [await offered(), await offered()];
    expect(await enter(first)).toEqual({ outcome: 'refused' });
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.sign_in_links SET expires_at = expires_at - interval '1 hour'`),
    );
    expect(await enter(second)).toEqual({ outcome: 'refused' });
  });

  test('is good for whoever sits at the machine, and in no other way', async () => {
    const { people, parts, offered, enter, entered } = await aNewInstallation();
    const token = await offered();
    expect(await enter(token, { ...here, isFromThisMachine: false })).toEqual({ outcome: 'refused' });
    // Started anew for others to reach, it takes it no more.
    expect(await signInAtThisMachine(people.parts, token, here)).toEqual({ outcome: 'refused' });
    expect(await signInByLink(parts, token, here)).toEqual({ outcome: 'refused' });
    expect(await setPasswordByLink(parts, { token, password: goodPassword }, here)).toEqual({
      outcome: 'refused',
    });
    expect(await enter(token)).toMatchObject({ outcome: 'signed_in' });
    const { session } = await entered();
    const link = await people.parts.scopes.inIdentity((unit) =>
      makeSignInLink(unit, session.userId, 'sign_in'),
    );
    expect(await enter(link.token)).toEqual({ outcome: 'refused' });
  });

  test('is made again at each start', async () => {
    const { offered, enter } = await aNewInstallation();
    for (let start = 0; start < 3; start++)
      expect(await enter(await offered())).toMatchObject({ outcome: 'signed_in' });
  });
});

describe('no link is made', () => {
  test('where somebody has a password', async () => {
    const { people, offer } = await aNewInstallation();
    await people.person('ann@acme.example');
    expect(await offer()).toBeUndefined();
    expect(await list(people)).toHaveLength(1);
  });

  test('where somebody was added at the command line', async () => {
    const { people, offer } = await aNewInstallation();
    const id = await people.person('ann@acme.example');
    await people.database.asOwner((client) =>
      client.query('DELETE FROM identity.passwords WHERE user_id = $1', [id]),
    );
    expect(await offer()).toBeUndefined();
  });

  test('once its operator has a password, and the last one is good no more', async () => {
    const { people, parts, offer, offered, enter } = await aNewInstallation();
    const token = await offered();
    const link = await people.parts.scopes.inIdentity(async (unit) =>
      makeSignInLink(unit, (await findUser(unit, firstOperatorEmail)).id, 'set_password'),
    );
    const set = { token: link.token, password: goodPassword };
    expect(await setPasswordByLink(parts, set, here)).toEqual({ outcome: 'set' });
    expect(await enter(token)).toEqual({ outcome: 'refused' });
    expect(await offer()).toBeUndefined();
  });

  test('once its operator has a passkey, which the last one asks for', async () => {
    const { people, offer, offered, enter, entered, parts } = await aNewInstallation();
    const { session } = await entered();
    const token = await offered();
    const found = await people.found(session.token);
    const begun = await beginPasskey(parts, found, atHome);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const answer = anAuthenticator({ origin: chatOrigin }).create(begun.options);
    const added = await addPasskey(parts, found, { ceremony: begun.ceremony, answer, name: 'x' }, atHome);
    expect(added.outcome).toBe('added');
    expect(await offer()).toBeUndefined();
    expect(await enter(token)).toMatchObject({ outcome: 'second_factor', methods: ['passkey', 'recovery'] });
  });

  test('for an operator who is disabled', async () => {
    const { people, offer, offered, enter } = await aNewInstallation();
    const token = await offered();
    const [operator] = await list(people);
    await people.parts.scopes.inIdentity(async (unit) => {
      if (operator) await setUserStatus(unit, operator.id, 'disabled');
    });
    expect(await offer()).toBeUndefined();
    expect(await enter(token)).toEqual({ outcome: 'refused' });
  });
});
