import { TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { fromWire } from '#domain/ids.ts';
import { operateUsers } from '../../src/cli/users.ts';
import { aBrowser, aPerson, aPersonSignedIn, type Browser, somePassword } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'other' }],
  env: { TRUSTED_PROXIES: '127.0.0.1' },
});

let people = 0;
const anEmail = () => `person-${++people}@example.com`;

/** Adds an authenticator app; answers what makes its codes, and the recovery codes. */
async function addApp(browser: Browser): Promise<{ codeNow: () => string; recoveryCodes: string[] }> {
  const { body } = await browser.call('POST', '/me/second-factor');
  const totp = new TOTP({ secret: body.secret });
  const confirmed = await browser.call('POST', '/me/second-factor/confirm', {
    body: { code: totp.generate() },
  });
  expect(confirmed.status).toBe(200);
  return {
    codeNow: () => totp.generate({ timestamp: Date.now() + 30_000 }),
    recoveryCodes: confirmed.body.recoveryCodes,
  };
}

describe('a person', () => {
  test('signs in, is told who they are and where they belong, works there, and signs out', async () => {
    const email = anEmail();
    const browser = await aPersonSignedIn(service(), { email, tenant: 'shop', role: 'member' });
    const tenantId = await tenantIdOf(service(), 'shop');
    expect((await browser.call('GET', '/me')).body).toMatchObject({
      ...{ email, isOperator: false, hasSecondFactor: false },
      tenants: [{ id: tenantId, slug: 'shop', role: 'member' }],
    });
    expect(await browser.call('GET', `/tenants/${tenantId}/conversations`)).toMatchObject({ status: 200 });
    expect(await browser.call('GET', `/tenants/${tenantId}/members`)).toMatchObject({ status: 403 });
    expect(await browser.call('GET', `/tenants/${await tenantIdOf(service(), 'other')}`)).toMatchObject({
      status: 404,
    });
    expect(await browser.call('POST', '/sign-out')).toMatchObject({ status: 204 });
    expect(browser.cookie).toBeUndefined();
    expect(await browser.call('GET', '/me')).toMatchObject({
      status: 401,
      body: { code: 'session_missing' },
    });
  });

  test('is told the same whether the address is nobody’s or the password another one', async () => {
    const email = anEmail();
    await aPerson(service(), { email });
    const browser = aBrowser(service());
    const signIn = (body: object) => browser.call('POST', '/sign-in', { body });
    const [wrong, unknown] = [
      await signIn({ email, password: 'not the password at all' }),
      await signIn({ email: anEmail(), password: 'not the password at all' }),
    ];
    expect(wrong).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
    expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
    for (let count = 0; count < 4; count++) await signIn({ email, password: 'not the password at all' });
    expect(await signIn({ email, password: somePassword })).toMatchObject({ status: 429 });
    expect(await (await fetch(`${service().url}/metrics`)).text()).toMatch(
      /security_events_total\{kind="lockout"\} [1-9]/,
    );
  });

  test('with a second factor shows it, each code once', async () => {
    const email = anEmail();
    const { codeNow, recoveryCodes } = await addApp(await aPersonSignedIn(service(), { email }));
    const signIn = async () => {
      const browser = aBrowser(service());
      const { body } = await browser.call('POST', '/sign-in', { body: { email, password: somePassword } });
      expect(body).toMatchObject({ outcome: 'second_factor' });
      expect(browser.cookie).toBeUndefined();
      return {
        browser,
        finish: (code: string) =>
          browser.call('POST', '/sign-in/second-factor', { body: { challenge: body.challenge, code } }),
      };
    };
    const code = codeNow();
    const first = await signIn();
    expect(await first.finish(code)).toMatchObject({ status: 200, body: { outcome: 'signed_in' } });
    expect((await first.browser.call('GET', '/me')).body).toMatchObject({ hasShownSecondFactor: true });
    const second = await signIn();
    expect(await second.finish(code)).toMatchObject({ status: 401 });
    expect(await second.finish(recoveryCodes[0] ?? '')).toMatchObject({ status: 200 });
  });

  test('who runs a tenant may do nothing there before a second factor, and everything after', async () => {
    const browser = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop', role: 'owner' });
    const tenantId = await tenantIdOf(service(), 'shop');
    expect(await browser.call('GET', `/tenants/${tenantId}`)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/second factor/) },
    });
    await addApp(browser);
    await eventually(async () =>
      expect(await browser.call('GET', `/tenants/${tenantId}`)).toMatchObject({ status: 200 }),
    );
  });

  test('sees their sessions and ends them', async () => {
    const email = anEmail();
    const here = await aPersonSignedIn(service(), { email });
    const there = aBrowser(service());
    await there.call('POST', '/sign-in', {
      body: { email, password: somePassword },
      headers: { 'user-agent': 'elsewhere' },
    });
    const { body } = await here.call('GET', '/me/sessions');
    expect(body.items).toMatchObject([
      { isThisOne: false, userAgent: 'elsewhere', methods: ['pwd'] },
      { isThisOne: true },
    ]);
    const stranger = await aPersonSignedIn(service(), { email: anEmail() });
    expect(await stranger.call('DELETE', `/me/sessions/${body.items[0].id}`)).toMatchObject({ status: 404 });
    expect(await here.call('DELETE', `/me/sessions/${body.items[0].id}`)).toMatchObject({ status: 204 });
    await eventually(async () => expect(await there.call('GET', '/me')).toMatchObject({ status: 401 }));
    expect(await here.call('DELETE', '/me/sessions')).toMatchObject({ status: 200, body: { ended: 0 } });
  });
});

describe('a session', () => {
  test('is left behind by nobody who signs in again in the same browser', async () => {
    const email = anEmail();
    const browser = await aPersonSignedIn(service(), { email });
    const headers = { cookie: browser.cookie ?? '' };
    await browser.call('POST', '/sign-in', { body: { email, password: somePassword } });
    await eventually(async () =>
      expect(await callerOf(service())('GET', '/me', { headers })).toMatchObject({ status: 401 }),
    );
    expect((await browser.call('GET', '/me/sessions')).body.items).toMatchObject([{ isThisOne: true }]);
  });

  test('that has ended leaves nothing in the browser', async () => {
    const { headers } = await (await aPersonSignedIn(service(), { email: anEmail() })).call(
      'POST',
      '/sign-out',
    );
    expect(headers.get('clear-site-data')).toBe('"cache", "storage"');
  });

  test('that has shown no factor lately ends itself, and no other', async () => {
    const email = anEmail();
    const browser = await aPersonSignedIn(service(), { email });
    const other = aBrowser(service());
    await other.call('POST', '/sign-in', { body: { email, password: somePassword } });
    const { body } = await other.call('GET', '/me/sessions');
    const [{ id: otherId }, { id }] = body.items;
    await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql(
        "UPDATE identity.web_sessions SET authenticated_at = now() - interval '11 minutes' WHERE id = $1",
        [fromWire('session', id)],
      ),
    );
    await eventually(async () =>
      expect(await browser.call('DELETE', '/me/sessions')).toMatchObject({ status: 403 }),
    );
    expect(await browser.call('DELETE', `/me/sessions/${otherId}`)).toMatchObject({ status: 403 });
    expect(await browser.call('DELETE', `/me/sessions/${id}`)).toMatchObject({ status: 204 });
    expect(await other.call('GET', '/me')).toMatchObject({ status: 200 });
  });
});

test('an operator signs somebody out, or everybody', async () => {
  const email = anEmail();
  const { storage } = service().app;
  const one = await aPersonSignedIn(service(), { email });
  const other = await aPersonSignedIn(service(), { email: anEmail() });
  expect(await operateUsers(storage, { act: 'sign-out', email })).toMatchObject([{ email }]);
  await eventually(async () => expect(await one.call('GET', '/me')).toMatchObject({ status: 401 }));
  expect(await other.call('GET', '/me')).toMatchObject({ status: 200 });
  await operateUsers(storage, { act: 'sign-out' });
  await eventually(async () => expect(await other.call('GET', '/me')).toMatchObject({ status: 401 }));
  const told = await storage.scopes.inIdentity((unit) =>
    unit.sql(
      "SELECT actor_kind FROM swarmgate.audit_events WHERE action = 'session.revoked' AND actor_kind = 'operator'",
    ),
  );
  expect(told).toHaveLength(2);
});

describe('a session’s cookie', () => {
  test('is read by no script and sent by no foreign form', async () => {
    const email = anEmail();
    await aPerson(service(), { email });
    const answer = await callerOf(service())('POST', '/sign-in', { body: { email, password: somePassword } });
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(
      /^swarmgate-session=[^;]+; Max-Age=\d+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    expect(JSON.stringify(answer.body)).not.toContain(cookie?.split(/[=;]/)[1]);
  });

  test.each<[string, Record<string, string>]>([
    ['without the header', { 'x-csrf': '' }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling', { 'sec-fetch-site': 'same-site' }],
  ])('changes nothing %s', async (_, headers) => {
    const browser = await aPersonSignedIn(service(), { email: anEmail() });
    const call = callerOf(service());
    const given = {
      cookie: browser.cookie ?? '',
      ...(headers['x-csrf'] === '' ? {} : { 'x-csrf': '1', ...headers }),
    };
    expect(await call('POST', '/sign-out', { headers: given })).toMatchObject({
      status: 403,
      body: { code: 'csrf_header_missing' },
    });
    expect(await browser.call('GET', '/me')).toMatchObject({ status: 200 });
  });
});

describe('a program', () => {
  test('acts for a person within a tenant and a scope, for as long as the session lives', async () => {
    const browser = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop', role: 'member' });
    const tenantId = await tenantIdOf(service(), 'shop');
    const { body } = await browser.call('POST', '/tokens', { body: { tenantId, scope: ['channels:read'] } });
    const call = callerOf(service(), body.accessToken);
    expect(await call('GET', `/tenants/${tenantId}/channels`)).toMatchObject({ status: 200 });
    expect(await call('GET', `/tenants/${tenantId}/conversations`)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/scope of the token/) },
    });
    expect(await call('GET', '/me')).toMatchObject({ status: 401 });
    expect(
      await browser.call('POST', '/tokens', { body: { tenantId: await tenantIdOf(service(), 'other') } }),
    ).toMatchObject({
      status: 404,
    });
    await browser.call('POST', '/sign-out');
    await eventually(async () =>
      expect(await call('GET', `/tenants/${tenantId}/channels`)).toMatchObject({ status: 401 }),
    );
  });

  test('that uses a refresh token a second time loses them all', async () => {
    const browser = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop' });
    const tenantId = await tenantIdOf(service(), 'shop');
    const { body: first } = await browser.call('POST', '/tokens', { body: {} });
    const refresh = (refreshToken: string) =>
      callerOf(service())('POST', '/tokens/refresh', { body: { refreshToken } });
    const { body: second } = await refresh(first.refreshToken);
    expect(
      await callerOf(service(), second.accessToken)('GET', `/tenants/${tenantId}/channels`),
    ).toMatchObject({ status: 200 });
    expect(await refresh(first.refreshToken)).toMatchObject({
      status: 401,
      body: { code: 'refresh_refused' },
    });
    expect(await refresh(second.refreshToken)).toMatchObject({ status: 401 });
    await eventually(async () =>
      expect(
        await callerOf(service(), second.accessToken)('GET', `/tenants/${tenantId}/channels`),
      ).toMatchObject({ status: 401 }),
    );
  });

  test('finds the keys that tokens are signed with', async () => {
    const response = await fetch(`${service().url}/.well-known/jwks.json`);
    expect(response.status).toBe(200);
    const { keys } = (await response.json()) as { keys: object[] };
    expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' });
    expect(JSON.stringify(keys)).not.toMatch(/"d"/);
  });
});

describe('members', () => {
  test('are invited, join with an account of their own, get another role, and leave', async () => {
    const owner = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'other', role: 'owner' });
    await addApp(owner);
    const tenantId = await tenantIdOf(service(), 'other');
    const path = `/tenants/${tenantId}`;
    const email = anEmail();
    const invited = await eventually(async () => {
      const answer = await owner.call('POST', `${path}/invitations`, { body: { email, role: 'viewer' } });
      expect(answer.status).toBe(201);
      return answer;
    });
    expect((await owner.call('GET', `${path}/invitations`)).body.items).toMatchObject([
      { email, role: 'viewer' },
    ]);

    const account = { name: 'Ann', password: somePassword };
    const joined = await callerOf(service())('POST', '/invitations/accept', {
      body: { token: invited.body.token, account },
    });
    expect(joined).toMatchObject({ status: 200, body: { tenantId } });
    expect(
      await callerOf(service())('POST', '/invitations/accept', {
        body: { token: invited.body.token, account },
      }),
    ).toMatchObject({ status: 401 });
    const ann = aBrowser(service());
    await ann.call('POST', '/sign-in', { body: { email, password: somePassword } });
    expect(await ann.call('GET', `${path}/channels`)).toMatchObject({ status: 200 });

    const { body } = await owner.call('GET', `${path}/members`);
    const member = body.items.find((one: { email: string }) => one.email === email);
    const change = (version: number) =>
      owner.call('PATCH', `${path}/members/${member.userId}`, {
        body: { role: 'member' },
        headers: { 'if-match': `"${version}"` },
      });
    expect(await change(member.version + 1)).toMatchObject({ status: 412 });
    expect(await change(member.version)).toMatchObject({ status: 204 });
    expect(await owner.call('DELETE', `${path}/members/${member.userId}`)).toMatchObject({ status: 204 });
    await eventually(async () =>
      expect(await ann.call('GET', `${path}/channels`)).toMatchObject({ status: 404 }),
    );
    const me = (await owner.call('GET', '/me')).body.id;
    expect(await owner.call('DELETE', `${path}/members/${me}`)).toMatchObject({
      status: 409,
      body: { code: 'last_owner' },
    });
  });

  test('are not made of an account that another tenant’s invitation had made, before an operator confirms it', async () => {
    const invite = async (tenant: string, email: string) => {
      const owner = await aPersonSignedIn(service(), { email: anEmail(), tenant, role: 'owner' });
      await addApp(owner);
      const path = `/tenants/${await tenantIdOf(service(), tenant)}/invitations`;
      return eventually(async () => {
        const answer = await owner.call('POST', path, { body: { email, role: 'viewer' } });
        expect(answer.status).toBe(201);
        return answer.body.token;
      });
    };
    const email = anEmail();
    const account = { name: 'Ann', password: somePassword };
    const token = await invite('other', email);
    const joined = await callerOf(service())('POST', '/invitations/accept', { body: { token, account } });
    expect(joined.status).toBe(200);
    const ann = aBrowser(service());
    await ann.call('POST', '/sign-in', { body: { email, password: somePassword } });
    expect(
      await ann.call('POST', '/invitations/accept', { body: { token: await invite('shop', email) } }),
    ).toMatchObject({ status: 409, body: { code: 'address_unconfirmed' } });
  });

  test('are made by people, and not by keys', async () => {
    const admin = await anApiCaller(service());
    expect(
      await admin.own('POST', '/invitations', { body: { email: anEmail(), role: 'viewer' } }),
    ).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/API keys do not/) },
    });
  });
});
