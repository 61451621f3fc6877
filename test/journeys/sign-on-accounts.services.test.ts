import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { operateMembers } from '../../src/cli/members.ts';
import { operateOrganizations } from '../../src/cli/organizations.ts';
import { operateUsers } from '../../src/cli/users.ts';
import { anAuthenticator } from '../fakes/authenticator.ts';
import {
  aBrowser,
  addApp,
  anOrganizer,
  aPerson,
  aPersonSignedIn,
  type Browser,
  somePassword,
} from '../support/a-browser.ts';
import { aSignOnStage } from '../support/a-sign-on-stage.ts';
import { callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const { service, ownerOf, tenantOf, aStranger, aProvider, signOnOf, refusedFor, operator, organizationOf } =
  aSignOnStage();

describe('whose account somebody comes to', () => {
  test('is nobody’s without an address that the provider says is theirs', async () => {
    const { provider, email } = await signOnOf('acme');
    for (const more of [{}, { email_verified: false }, { email_verified: 'true' }, { email_verified: 1 }]) {
      provider.signsIn({ sub: 'ann', email: email('ann'), ...more });
      const browser = aStranger();
      await refusedFor(
        browser,
        await browser.atProvider(await browser.begin({ email: email('ann') })),
        /address is verified/,
      );
    }
  });

  test('is nobody’s of a domain that is another organization’s, not confirmed, or nobody’s', async () => {
    const acme = await signOnOf('acme');
    const globex = await signOnOf('globex');
    const unconfirmed = `u${randomUUID().slice(0, 8)}.example`;
    const path = `/organizations/${organizationOf('acme')}/sign-on-domains`;
    const claimed = await ownerOf('acme').call('POST', path, {
      body: { domain: unconfirmed, connectionId: acme.id },
    });
    expect(claimed).toMatchObject({ status: 201, body: { confirmedAt: null } });
    const victim = globex.email('victim');
    await aPerson(service(), { email: victim, tenant: 'elsewhere', role: 'owner' });
    const addresses = [
      victim,
      `x@${unconfirmed}`,
      'somebody@example.com',
      `a@sub.${acme.domain}`,
      `"a@${acme.domain}"@evil.example`,
    ];
    for (const address of addresses) {
      acme.provider.signsIn({ sub: `s-${address}`, email: address, email_verified: true });
      const browser = aStranger();
      await refusedFor(
        browser,
        await browser.atProvider(await browser.begin({ connectionId: acme.id })),
        /domain of the address is not confirmed|address is verified/,
      );
    }
  });

  test('is theirs where they had one, which is confirmed by that, and what it was signed in with before is gone', async () => {
    const { provider, email } = await signOnOf('acme', { joins: null });
    const address = email('ann');
    await aPerson(service(), { email: address, tenant: 'shop', role: 'viewer' });
    await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql('UPDATE identity.users SET email_verified_at = NULL WHERE email = $1', [address]),
    );
    const squatter = aBrowser(service());
    expect(
      (await squatter.call('POST', '/sign-in', { body: { email: address, password: somePassword } })).status,
    ).toBe(200);
    provider.signsIn({ sub: 'ann', email: address, email_verified: true });
    const browser = aStranger();
    expect(await browser.signOn({ email: address })).toMatchObject({ status: 303 });
    expect((await browser.call('GET', '/me')).body).toMatchObject({
      email: address,
      tenants: [{ slug: 'shop' }],
    });
    await eventually(async () => expect((await squatter.call('GET', '/me')).status).toBe(401));
    expect(
      (await squatter.call('POST', '/sign-in', { body: { email: address, password: somePassword } })).status,
    ).toBe(401);
  });

  test('is not made for who is not known, and not linked for who is nobody in the organization, where nobody joins', async () => {
    const { provider, email } = await signOnOf('acme', { joins: null });
    provider.signsIn({ sub: 'new', email: email('new'), email_verified: true });
    const browser = aStranger();
    await refusedFor(
      browser,
      await browser.atProvider(await browser.begin({ email: email('new') })),
      /nobody joins/,
    );
    await aPerson(service(), { email: email('guest'), tenant: 'elsewhere', role: 'owner' });
    provider.signsIn({ sub: 'guest', email: email('guest'), email_verified: true });
    const guest = aStranger();
    await refusedFor(
      guest,
      await guest.atProvider(await guest.begin({ email: email('guest') })),
      /nobody joins/,
    );
  });

  test('is never an operator’s, also where they were linked before they were one', async () => {
    const { provider, email } = await signOnOf('acme');
    await operateUsers(service().app.storage, {
      ...{ act: 'create', email: email('root'), name: '', isOperator: true, password: somePassword },
    });
    provider.signsIn({ sub: 'root', email: email('root'), email_verified: true });
    const browser = aStranger();
    await refusedFor(
      browser,
      await browser.atProvider(await browser.begin({ email: email('root') })),
      /looks after the installation/,
    );

    provider.signsIn({ sub: 'bob', email: email('bob'), email_verified: true });
    const bob = aStranger();
    expect(await bob.signOn({ email: email('bob') })).toMatchObject({ status: 303 });
    await addApp(bob);
    await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql('UPDATE identity.users SET is_operator = true WHERE email = $1', [email('bob')]),
    );
    await eventually(async () => expect((await bob.call('GET', '/me')).body.isOperator).toBe(false));
    expect((await bob.call('GET', '/organizations')).status).toBe(403);
    const again = aStranger();
    await refusedFor(
      again,
      await again.atProvider(await again.begin({ email: email('bob') })),
      /good no more/,
    );
  });

  test('stays the subject’s: another subject with the address of an account that is linked is nobody', async () => {
    const { provider, email, path } = await signOnOf('acme');
    provider.signsIn({ sub: 'first', email: email('ann'), email_verified: true });
    const first = aStranger();
    expect(await first.signOn({ email: email('ann') })).toMatchObject({ status: 303 });
    const { id } = (await first.call('GET', '/me')).body;
    provider.signsIn({ sub: 'second', email: email('ann'), email_verified: true });
    const second = aStranger();
    await refusedFor(
      second,
      await second.atProvider(await second.begin({ email: email('ann') })),
      /another subject/,
    );

    expect((await ownerOf('globex').call('DELETE', `${path}/identities/${id}`)).status).toBe(404);
    expect((await ownerOf('acme').call('DELETE', `${path}/identities/${id}`)).status).toBe(204);
    await eventually(async () => expect((await first.call('GET', '/me')).status).toBe(401));
    expect(await aStranger().signOn({ email: email('ann') })).toMatchObject({ status: 303 });
  });

  test('is one, however often they come for the first time at once', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browsers = Array.from({ length: 8 }, aStranger);
    const backs = await Promise.all(browsers.map((browser) => browser.signOn({ email: email('ann') })));
    expect(backs.map(({ status }) => status)).toEqual(Array(8).fill(303));
    const ids = await Promise.all(
      browsers.map(async (browser) => (await browser.call('GET', '/me')).body.id),
    );
    expect(new Set(ids).size).toBe(1);
  });

  test('of another issuer under the same connection is anew', async () => {
    const { provider, email, path } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browser = aStranger();
    expect(await browser.signOn({ email: email('ann') })).toMatchObject({ status: 303 });
    const other = await aProvider();
    const body = { issuer: other.issuer, clientSecret: 'of the other' };
    expect((await ownerOf('acme').call('PATCH', path, { body })).status).toBe(200);
    await eventually(async () => expect((await browser.call('GET', '/me')).status).toBe(401));
    const rows = await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql(
        'SELECT 1 FROM identity.sign_on_identities i JOIN identity.users u ON u.id = i.user_id WHERE u.email = $1',
        [email('ann')],
      ),
    );
    expect(rows).toEqual([]);
  });
});

describe('a session that came by an organization’s provider', () => {
  /** Somebody of acme's domain who owns a tenant of another organization too. */
  async function somebodyOfBoth() {
    const acme = await signOnOf('acme');
    const address = acme.email('both');
    await aPerson(service(), { email: address, tenant: 'elsewhere', role: 'viewer' });
    const own = aBrowser(service());
    await own.call('POST', '/sign-in', { body: { email: address, password: somePassword } });
    acme.provider.signsIn({ sub: 'both', email: address, email_verified: true });
    const browser = aStranger();
    expect(await browser.signOn({ email: address })).toMatchObject({ status: 303 });
    return { acme, address, own, browser };
  }

  test('is good in that organization, and its person’s other ones are as if they were not there', async () => {
    const { browser, own } = await somebodyOfBoth();
    expect((await browser.call('GET', `/tenants/${tenantOf('shop')}/conversations`)).status).toBe(200);
    expect((await browser.call('GET', `/tenants/${tenantOf('elsewhere')}/conversations`)).status).toBe(404);
    expect((await browser.call('GET', '/me')).body.tenants).toMatchObject([{ slug: 'shop' }]);
    expect((await own.call('GET', '/me')).body.tenants).toMatchObject([
      { slug: 'elsewhere' },
      { slug: 'shop' },
    ]);
    // Nor by a token.
    const { body } = await browser.call('POST', '/tokens', { body: {} });
    const call = callerOf(service(), body.accessToken);
    expect((await call('GET', `/tenants/${tenantOf('shop')}/conversations`)).status).toBe(200);
    expect((await call('GET', `/tenants/${tenantOf('elsewhere')}/conversations`)).status).toBe(404);
    expect(
      (await browser.call('POST', '/tokens', { body: { tenantId: tenantOf('elsewhere') } })).status,
    ).toBe(404);
    expect((await browser.call('POST', '/tokens', { body: { tenantId: tenantOf('shop') } })).status).toBe(
      201,
    );
  });

  test('changes nothing that its person signs in with elsewhere, and sees and ends no other session', async () => {
    const { browser, own } = await somebodyOfBoth();
    expect((await browser.call('POST', '/me/second-factor')).status).toBe(403);
    const change = { current: somePassword, next: 'another quiet boat upstream' };
    expect((await browser.call('POST', '/me/password', { body: change })).status).toBe(403);
    expect((await browser.call('GET', '/me/sessions')).body.items).toHaveLength(1);
    expect((await browser.call('DELETE', '/me/sessions')).body).toEqual({ ended: 0 });
    const [theirs] = (await own.call('GET', '/me/sessions')).body.items.filter(
      ({ isThisOne }: { isThisOne: boolean }) => isThisOne,
    );
    expect((await browser.call('DELETE', `/me/sessions/${theirs.id}`)).status).toBe(404);
    expect((await own.call('GET', '/me')).status).toBe(200);
    // Whoever signed in with the password sees all of theirs.
    expect((await own.call('GET', '/me/sessions')).body.items).toHaveLength(2);
  });

  test('accepts no invitation to elsewhere', async () => {
    const { browser, address } = await somebodyOfBoth();
    const invite = async (organization: string) =>
      (
        await ownerOf(organization).call(
          'POST',
          `/organizations/${organizationOf(organization)}/invitations`,
          {
            body: { email: address, role: 'viewer' },
          },
        )
      ).body.token;
    const accept = (token: string) => browser.call('POST', '/invitations/accept', { body: { token } });
    expect((await accept(await invite('globex'))).status).toBe(401);
    expect((await accept(await invite('acme'))).status).toBe(200);
  });

  test('uses up none of its person’s own tries of the second factor', async () => {
    const { address, own } = await somebodyOfBoth();
    const code = await addApp(own);
    const { location } = await aStranger().signOn({ email: address });
    const challenge = /second-factor=(.+)/.exec(location ?? '')?.[1];
    const guess = () =>
      aStranger().call('POST', '/sign-in/second-factor', { body: { challenge, code: '000000' } });
    for (let n = 0; n < 5; n += 1) expect((await guess()).status).toBe(401);
    expect((await guess()).status).toBe(429);

    const person = aBrowser(service());
    const { body } = await person.call('POST', '/sign-in', {
      body: { email: address, password: somePassword },
    });
    const finish = { body: { challenge: body.challenge, code } };
    expect((await person.call('POST', '/sign-in/second-factor', finish)).status).toBe(200);
  });

  test('gives its passkeys no other reach, whatever its person belongs to later; they go with the connection', async () => {
    const acme = await signOnOf('acme');
    const address = acme.email('planted');
    await aPerson(service(), { email: address, tenant: 'shop', role: 'viewer' });
    acme.provider.signsIn({ sub: 'planted', email: address, email_verified: true });
    const browser = aStranger();
    expect(await browser.signOn({ email: address })).toMatchObject({ status: 303 });
    const device = anAuthenticator({ origin: service().url.replace('127.0.0.1', 'localhost') });
    const { body: begun } = await browser.call('POST', '/me/passkeys/options');
    const credential = device.create(begun.options);
    const added = await browser.call('POST', '/me/passkeys', {
      body: { ceremony: begun.ceremony, credential },
    });
    expect(added.status).toBe(201);
    await operateMembers(service().app.storage, {
      ...{ act: 'add', tenant: 'elsewhere', email: address, role: 'viewer' },
    });

    const signIn = async () => {
      const stranger = aStranger();
      const { body } = await stranger.call('POST', '/sign-in/passkey/options');
      const { status } = await stranger.call('POST', '/sign-in/passkey', {
        body: { ceremony: body.ceremony, credential: device.get(body.options) },
      });
      return { stranger, status };
    };
    const { stranger, status } = await signIn();
    expect(status).toBe(200);
    expect((await stranger.call('GET', `/tenants/${tenantOf('shop')}/conversations`)).status).toBe(200);
    expect((await stranger.call('GET', `/tenants/${tenantOf('elsewhere')}/conversations`)).status).toBe(404);

    const off = await ownerOf('acme').call('PATCH', acme.path, { body: { isEnabled: false } });
    expect(off.status).toBe(200);
    expect((await signIn()).status).toBe(401);
    expect((await ownerOf('acme').call('DELETE', acme.path)).status).toBe(204);
    expect((await signIn()).status).toBe(401);
  });

  test('ends with its connection, and so do its tokens', async () => {
    const { browser, acme, own } = await somebodyOfBoth();
    const { body } = await browser.call('POST', '/tokens', { body: {} });
    const call = callerOf(service(), body.accessToken);
    expect((await call('GET', `/tenants/${tenantOf('shop')}/channels`)).status).toBe(200);
    const { status } = await ownerOf('acme').call('DELETE', acme.path);
    expect(status).toBe(204);
    await eventually(async () => {
      expect((await browser.call('GET', '/me')).status).toBe(401);
      expect((await call('GET', `/tenants/${tenantOf('shop')}/channels`)).status).toBe(401);
    });
    expect(
      (await call('POST', '/tokens/refresh', { body: { refreshToken: body.refreshToken } })).status,
    ).toBe(401);
    expect((await own.call('GET', '/me')).status).toBe(200);
    expect(
      (await aStranger().call('POST', '/sign-in/sso', { body: { email: acme.email('x') } })).status,
    ).toBe(404);
  });
});

describe('the second factor', () => {
  test('is asked for here, unless the connection says that the provider’s words count', async () => {
    const { provider, email, path } = await signOnOf('acme');
    provider.signsIn({
      sub: 'ann',
      email: email('ann'),
      email_verified: true,
      amr: ['pwd', 'mfa'],
      acr: 'urn:strong',
    });
    const first = aStranger();
    expect(await first.signOn({ email: email('ann') })).toMatchObject({ status: 303, location: '/' });
    expect((await first.call('GET', '/me')).body).toMatchObject({ hasShownSecondFactor: false });
    await addApp(first);

    const second = await aStranger().signOn({ email: email('ann'), returnPath: '/admin' });
    expect(second).toMatchObject({
      status: 303,
      location: expect.stringMatching(/^\/admin#second-factor=sgc_/),
    });
    expect(second.setCookies.join()).not.toMatch(/swarmgate-session=sgs/);

    const trust = (secondFactor: object) => ownerOf('acme').call('PATCH', path, { body: { secondFactor } });
    for (const words of [
      { amr: ['hwk'], acr: [] },
      { amr: [], acr: ['urn:other'] },
    ]) {
      expect((await trust(words)).status).toBe(200);
      expect((await aStranger().signOn({ email: email('ann') })).location).toMatch(/second-factor/);
    }
    for (const words of [
      { amr: ['mfa'], acr: [] },
      { amr: [], acr: ['urn:strong'] },
    ]) {
      expect((await trust(words)).status).toBe(200);
      const browser = aStranger();
      expect(await browser.signOn({ email: email('ann') })).toMatchObject({ location: '/' });
      expect((await browser.call('GET', '/me')).body).toMatchObject({ hasShownSecondFactor: true });
    }
  });

  test('that is finished later is of the session that its provider gives', async () => {
    const { provider, email } = await signOnOf('acme');
    await aPerson(service(), { email: email('ann'), tenant: 'elsewhere', role: 'viewer' });
    const own = aBrowser(service());
    await own.call('POST', '/sign-in', { body: { email: email('ann'), password: somePassword } });
    const code = await addApp(own);
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browser = aStranger();
    const back = await browser.signOn({ email: email('ann') });
    const challenge = back.location?.split('second-factor=')[1];
    expect(await browser.call('POST', '/sign-in/second-factor', { body: { challenge, code } })).toMatchObject(
      {
        status: 200,
      },
    );
    expect((await browser.call('GET', '/me')).body).toMatchObject({
      ...{ hasShownSecondFactor: true, tenants: [{ slug: 'shop' }] },
    });
    expect((await browser.call('GET', `/tenants/${tenantOf('elsewhere')}/channels`)).status).toBe(404);
  });
});

describe('an organization that takes no passwords', () => {
  test('refuses who comes with one, lets in who signs on, and operators look after it still', async () => {
    const strict = await signOnOf('strict');
    const path = `/organizations/${organizationOf('strict')}`;
    const tenantPath = `/tenants/${await tenantIdOf(service(), 'strict')}`;
    const require = (browser: Pick<Browser, 'call'>, requiresSingleSignOn: boolean) =>
      browser.call('PATCH', path, { body: { requiresSingleSignOn } });
    // Not by who has not shown that there is another way in.
    expect(await require(ownerOf('strict'), true)).toMatchObject({ status: 403 });

    const [member, both] = [`m-${randomUUID()}@example.com`, `b-${randomUUID()}@example.com`];
    const running = await aPersonSignedIn(service(), { email: member, tenant: 'strict', role: 'viewer' });
    const ofBoth = await aPersonSignedIn(service(), { email: both, tenant: 'strict', role: 'viewer' });
    await operateMembers(service().app.storage, {
      act: 'add',
      tenant: 'elsewhere',
      email: both,
      role: 'viewer',
    });

    const chief = strict.email('chief');
    await anOrganizer(service(), { organization: 'strict', role: 'owner', email: chief });
    strict.provider.signsIn({ sub: 'chief', email: chief, email_verified: true, amr: ['mfa'] });
    await ownerOf('strict').call('PATCH', strict.path, { body: { secondFactor: { amr: ['mfa'], acr: [] } } });
    const signedOn = aStranger();
    expect(await signedOn.signOn({ email: chief })).toMatchObject({ status: 303, location: '/' });
    expect(await require(signedOn, true)).toMatchObject({
      status: 200,
      body: { requiresSingleSignOn: true },
    });

    // Sessions that a password had begun are worth nothing in it from then on, and no new ones begin.
    await eventually(async () =>
      expect(await running.call('GET', `${tenantPath}/channels`)).toMatchObject({
        status: 403,
        body: { detail: expect.stringMatching(/takes no passwords/) },
      }),
    );
    const withPassword = (email: string, password = somePassword) =>
      aBrowser(service()).call('POST', '/sign-in', { body: { email, password } });
    expect(await withPassword(member)).toMatchObject({
      status: 403,
      body: { code: 'single_sign_on_required' },
    });
    expect(await withPassword(member, 'not the password at all')).toMatchObject({ status: 401 });
    // Who belongs elsewhere too goes on there, and not here.
    expect(await withPassword(both)).toMatchObject({ status: 200 });
    await eventually(async () => {
      expect((await ofBoth.call('GET', `${tenantPath}/channels`)).status).toBe(403);
      expect((await ofBoth.call('GET', `/tenants/${tenantOf('elsewhere')}/channels`)).status).toBe(200);
    });
    expect((await signedOn.call('GET', `${tenantPath}/channels`)).status).toBe(200);
    await eventually(async () => expect((await ownerOf('strict').call('GET', path)).status).toBe(403));

    // The last way in is not closed by who would stand outside then.
    expect(await signedOn.call('PATCH', strict.path, { body: { isEnabled: false } })).toMatchObject({
      status: 409,
      body: { code: 'last_way_in' },
    });
    expect((await operator().call('GET', path)).status).toBe(200);
    const [, listed] = [
      await operateOrganizations(service().app.storage, {
        ...{ act: 'change', organization: 'strict', what: 'requiresSingleSignOn', isRequired: false },
      }),
      await withPassword(member),
    ];
    expect(listed.status).toBe(200);
  });
});
