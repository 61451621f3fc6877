import { TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { fromWire } from '#domain/ids.ts';
import { createApiKey } from '#identity/api-keys.ts';
import { aBrowser, aPersonSignedIn, type Browser, somePassword } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

/** What somebody with some rights tries, to have more, or to keep what was taken from them. */

const service = sharedService();
let people = 0;
const anEmail = () => `climber-${++people}@example.com`;

async function anOwner(): Promise<Browser> {
  const browser = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop', role: 'owner' });
  const { body } = await browser.call('POST', '/me/second-factor');
  await browser.call('POST', '/me/second-factor/confirm', {
    body: { code: new TOTP({ secret: body.secret }).generate() },
  });
  const path = `/tenants/${await tenantIdOf(service(), 'shop')}`;
  await eventually(async () => expect(await browser.call('GET', path)).toMatchObject({ status: 200 }));
  return browser;
}

describe('a token within a scope', () => {
  test('invites nobody to more than that', async () => {
    const owner = await anOwner();
    const tenantId = await tenantIdOf(service(), 'shop');
    const { body } = await owner.call('POST', '/tokens', { body: { tenantId, scope: ['members:write'] } });
    const call = callerOf(service(), body.accessToken);
    expect(
      await call('POST', `/tenants/${tenantId}/invitations`, { body: { email: anEmail(), role: 'owner' } }),
    ).toMatchObject({ status: 403, body: { detail: expect.stringMatching(/what they have not/) } });
  });

  test('is not answered what a call of its owner’s was, although the key is the same', async () => {
    const owner = await anOwner();
    const tenantId = await tenantIdOf(service(), 'shop');
    const headers = { 'idempotency-key': 'one-key' };
    const body = { name: 'A key', permissions: ['audit:admin'] };
    const path = `/tenants/${tenantId}/api-keys`;
    expect(await owner.call('POST', path, { body, headers })).toMatchObject({ status: 201 });
    const tokens = await owner.call('POST', '/tokens', { body: { tenantId, scope: ['api-keys:write'] } });
    const call = callerOf(service(), tokens.body.accessToken);
    expect(await call('POST', path, { body, headers })).toMatchObject({ status: 403 });
  });
});

test('who was demoted a moment ago does not give it back to themselves', async () => {
  const owner = await anOwner();
  const tenantId = await tenantIdOf(service(), 'shop');
  const path = `/tenants/${tenantId}`;
  const role = (slug: string, permissions: string[]) =>
    owner.call('POST', `${path}/roles`, { body: { slug, name: slug, permissions } });
  // `roles:write` asks for a second factor, so Eve has one.
  const [large, small] = [
    await role('large', ['roles:write', 'roles:read', 'audit:read']),
    await role('small', ['roles:write', 'roles:read']),
  ];
  const eve = await anOwner();
  const { id } = (await eve.call('GET', '/me')).body;
  const become = (roleId: string) => owner.call('PATCH', `${path}/members/${id}`, { body: { role: roleId } });
  expect(await become(large.body.id)).toMatchObject({ status: 204 });
  await eventually(async () =>
    expect(await eve.call('GET', `${path}/members`)).toMatchObject({ status: 403 }),
  );
  expect(await eve.call('GET', `${path}/audit-events`)).toMatchObject({ status: 200 });
  expect(await become(small.body.id)).toMatchObject({ status: 204 });
  const permissions = ['roles:write', 'roles:read', 'audit:read'];
  expect(await eve.call('PATCH', `${path}/roles/${small.body.id}`, { body: { permissions } })).toMatchObject({
    status: 403,
  });
  expect(
    await eve.call('POST', `${path}/roles`, { body: { slug: 'mine', name: 'Mine', permissions } }),
  ).toMatchObject({ status: 403 });
});

describe('a key', () => {
  test('that somebody has rotated is theirs, and goes with them', async () => {
    const [alice, dave] = [await anOwner(), await anOwner()];
    const tenantId = await tenantIdOf(service(), 'shop');
    const path = `/tenants/${tenantId}`;
    const made = await alice.call('POST', `${path}/api-keys`, {
      body: { name: 'A key', permissions: ['channels:read'] },
    });
    const rotated = await dave.call('POST', `${path}/api-keys/${made.body.id}/rotate`, { body: {} });
    const daves = (await dave.call('GET', '/me')).body.id;
    expect(rotated).toMatchObject({ status: 201, body: { createdBy: daves } });
    const call = callerOf(service(), rotated.body.key);
    expect(await call('GET', `${path}/channels`)).toMatchObject({ status: 200 });
    expect(await alice.call('DELETE', `${path}/members/${daves}`)).toMatchObject({ status: 204 });
    await eventually(async () =>
      expect(await call('GET', `${path}/channels`)).toMatchObject({
        status: 401,
        body: { code: 'api_key_maker_gone' },
      }),
    );
  });

  test('that a key has made lives no longer than it, and ends with it', async () => {
    const owner = await anApiCaller(service(), { role: 'owner' });
    const child = async (of: typeof owner.call) =>
      (
        await of('POST', `/tenants/${owner.tenantId}/api-keys`, {
          body: { name: 'A child', permissions: ['api-keys:admin', 'channels:read'] },
        })
      ).body;
    const short = await owner.own('POST', '/api-keys', {
      body: {
        name: 'Short',
        permissions: ['api-keys:admin', 'channels:read'],
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
    });
    const first = await child(callerOf(service(), short.body.key));
    expect(first.expiresAt).toBe(short.body.expiresAt);
    const grandchild = await child(callerOf(service(), first.key));
    expect(await owner.own('DELETE', `/api-keys/${short.body.id}`)).toMatchObject({ status: 204 });
    for (const { key } of [short.body, first, grandchild])
      expect(await callerOf(service(), key)('GET', `/tenants/${owner.tenantId}/channels`)).toMatchObject({
        status: 401,
        body: { code: 'api_key_revoked' },
      });
  });

  test('that is revoked while it makes others leaves none of them behind', async () => {
    const owner = await anApiCaller(service(), { role: 'owner' });
    const parent = await anApiCaller(service(), { permissions: ['api-keys:admin', 'channels:read'] });
    const makes = () =>
      parent.own('POST', '/api-keys', { body: { name: 'A child', permissions: ['channels:read'] } });
    const [, ...made] = await Promise.all([
      owner.own('DELETE', `/api-keys/${parent.keyId}`),
      ...Array.from({ length: 20 }, makes),
    ]);
    for (const { status, body } of made) {
      if (status !== 201) continue;
      const call = callerOf(service(), body.key);
      expect(await call('GET', `/tenants/${owner.tenantId}/channels`)).toMatchObject({ status: 401 });
    }
    // Also where a process has not heard of it yet.
    const { scopes } = service().app.storage;
    const [tenantId, parentId] = [fromWire('tenant', owner.tenantId), fromWire('apiKey', parent.keyId)];
    if (!tenantId || !parentId) throw new Error('Those are no ids.');
    const child = {
      tenantId,
      parentId,
      name: 'Late',
      permissions: [],
      createdBy: undefined,
      expiresAt: undefined,
    };
    await expect(scopes.inTenant(tenantId, (unit) => createApiKey(unit, child))).rejects.toThrow(/ended/);
  });

  test('that asks for more than it may is told as refused', async () => {
    const weak = await anApiCaller(service(), { permissions: ['api-keys:write'] });
    await weak.own('POST', '/api-keys', { body: { name: 'More', permissions: ['audit:admin'] } });
    const admin = await anApiCaller(service());
    const { body } = await admin.own('GET', `/audit-events?actor=${weak.keyId}&outcome=refused`);
    expect(body.items).toMatchObject([
      { action: 'createApiKey', reason: expect.stringMatching(/audit:admin/) },
    ]);
  });
});

test('a member leaves, whatever they may do', async () => {
  const viewer = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop', role: 'viewer' });
  const path = `/tenants/${await tenantIdOf(service(), 'shop')}`;
  expect(await viewer.call('DELETE', `${path}/membership`)).toMatchObject({ status: 204 });
  await eventually(async () => expect(await viewer.call('GET', path)).toMatchObject({ status: 404 }));
});

test('a token within a scope does not leave for them', async () => {
  const viewer = await aPersonSignedIn(service(), { email: anEmail(), tenant: 'shop', role: 'viewer' });
  const path = `/tenants/${await tenantIdOf(service(), 'shop')}`;
  const { body } = await viewer.call('POST', '/tokens', { body: { scope: ['channels:read'] } });
  expect(await callerOf(service(), body.accessToken)('DELETE', `${path}/membership`)).toMatchObject({
    status: 403,
  });
  expect(await viewer.call('GET', path)).toMatchObject({ status: 200 });
});

describe('a stranger', () => {
  test('with a body that is nested without end is refused', async () => {
    for (const depth of [40, 5_000, 60_000])
      expect(
        await callerOf(service())('POST', '/sign-in', {
          body: `{"email":${'['.repeat(depth)}${']'.repeat(depth)}}`,
        }),
      ).toMatchObject({ status: 400 });
  });

  test('signs in although their browser has an old cookie, and no header of ours', async () => {
    const email = anEmail();
    await aPersonSignedIn(service(), { email });
    expect(
      await callerOf(service())('POST', '/sign-in', {
        body: { email, password: somePassword },
        headers: { cookie: 'swarmgate-session=sgs_old' },
      }),
    ).toMatchObject({ status: 200 });
  });

  test('without a good cookie is not answered for ever', async () => {
    const browser = aBrowser(service());
    const answers: number[] = [];
    for (let count = 0; count < 70; count++)
      answers.push(
        (await browser.call('GET', '/me', { headers: { cookie: 'swarmgate-session=sgs_x' } })).status,
      );
    expect(new Set(answers)).toEqual(new Set([401, 429]));
  });
});
