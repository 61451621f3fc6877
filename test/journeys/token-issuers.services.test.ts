import { createHmac, randomUUID } from 'node:crypto';
import { type CryptoKey, exportSPKI, importJWK, type JWTPayload } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromWire } from '#domain/ids.ts';
import { operateMembers } from '../../src/cli/members.ts';
import { aKey, anIdentityProvider, type IdentityProvider } from '../fakes/identity-provider.ts';
import { addApp, anOperator, aPersonSignedIn, type Browser } from '../support/a-browser.ts';
import { aService, sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

// The provider is there before the service, whose operator opens its host.
const hosts: string[] = [];
const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'other' }],
  env: { TRUSTED_PROXIES: '127.0.0.1' },
  overrides: { allowedHosts: hosts },
});
let owner: Browser;
let otherOwner: Browser;
let shop: string;
let other: string;

beforeAll(async () => {
  owner = await aPersonSignedIn(service(), { email: 'owner@example.com', tenant: 'shop', role: 'owner' });
  otherOwner = await aPersonSignedIn(service(), { email: 'o@example.com', tenant: 'other', role: 'owner' });
  await addApp(owner);
  await addApp(otherOwner);
  shop = `/tenants/${await tenantIdOf(service(), 'shop')}`;
  other = `/tenants/${await tenantIdOf(service(), 'other')}`;
  await eventually(async () => {
    expect(await owner.call('GET', `${shop}/token-issuers`)).toMatchObject({ status: 200 });
    expect(await otherOwner.call('GET', `${other}/token-issuers`)).toMatchObject({ status: 200 });
  });
});

async function aProvider(): Promise<IdentityProvider> {
  const provider = await anIdentityProvider();
  hosts.push(provider.host);
  return provider;
}

const takes = async (provider: IdentityProvider, more: object = {}, by = owner, path = shop) => {
  const answer = await by.call('POST', `${path}/token-issuers`, {
    body: { name: 'IdP', issuer: provider.issuer, audience: 'shop', defaultRole: 'viewer', ...more },
  });
  if (answer.status !== 201) throw new Error(`It answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

let networks = 0;
/** From a network of its own each time: so many may be refused a minute. */
const from = () => ({ 'x-forwarded-for': `10.2.${++networks >> 8}.${networks & 255}` });
const ask = (token: string, path = `${shop}/channels`) =>
  callerOf(service(), token)('GET', path, { headers: from() });

describe('a token is refused as nothing of the tenant', () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = () => Math.floor(Date.now() / 1_000);

  test.each<[string, (claims: JWTPayload) => JWTPayload]>([
    ['for another audience', (claims) => ({ ...claims, aud: 'somebody else' })],
    ['without an audience', ({ aud: _, ...claims }) => claims],
    ['of another issuer', (claims) => ({ ...claims, iss: 'https://issuer.example' })],
    ['without an end', ({ exp: _, ...claims }) => claims],
    ['without a beginning', ({ iat: _, ...claims }) => claims],
    ['from the future', (claims) => ({ ...claims, iat: now() + 600, exp: now() + 900 })],
    ['for the future', (claims) => ({ ...claims, nbf: now() + 600 })],
    ['that lives for a year', (claims) => ({ ...claims, exp: now() + 365 * 86_400 })],
    ['without a subject', ({ sub: _, ...claims }) => claims],
    ['with an empty subject', (claims) => ({ ...claims, sub: '' })],
    ['whose subject breaks lines', (claims) => ({ ...claims, sub: 'a\nb' })],
    ['whose end is a text', (claims) => ({ ...claims, exp: '9999999999' as unknown as number })],
  ])('%s', async (_, change) => {
    const provider = await aProvider();
    await takes(provider);
    const good = provider.claimsFor('ann', 'shop');
    expect(await ask(await provider.sign(good))).toMatchObject({ status: 200 });
    expect(await ask(await provider.sign(change(good)))).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  test('that nobody signed, or who knows the public key only', async () => {
    const provider = await aProvider();
    await takes(provider);
    const payload = base64(provider.claimsFor('ann', 'shop'));
    const [key] = provider.keys;
    if (!key) throw new Error('There is no key.');
    const spki = await exportSPKI(
      (await importJWK(key.publicJwk, 'ES256', { extractable: true })) as CryptoKey,
    );
    const secrets = [spki, JSON.stringify(key.publicJwk), String(key.publicJwk.x)];
    const forged = [
      ...['none', 'None', 'NONE'].map((alg) => `${base64({ alg, kid: key.kid })}.${payload}.`),
      ...secrets.map((secret) => {
        const start = `${base64({ alg: 'HS256', kid: key.kid })}.${payload}`;
        return `${start}.${createHmac('sha256', secret).update(start).digest('base64url')}`;
      }),
      `${base64({ alg: 'ES256', kid: key.kid })}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      `${base64({ alg: 'ES256', kid: key.kid })}.${payload}.`,
    ];
    for (const token of forged) expect((await ask(token)).status).toBe(404);
  });

  test('with another key, whatever it says of where that is', async () => {
    const provider = await aProvider();
    await takes(provider);
    const foreign = await aKey('k1', 'ES256');
    const evil = await aProvider();
    evil.keys.splice(0, 1, foreign);
    const claims = provider.claimsFor('ann', 'shop');
    const headers = [
      {},
      { kid: 'unknown' },
      { jku: `${evil.issuer}/keys` },
      { x5u: `${evil.issuer}/keys` },
      { jwk: foreign.publicJwk },
      { kid: '../../../dev/null' },
      { kid: "' OR 1=1 --" },
      { kid: `${evil.issuer}/keys` },
    ];
    for (const header of headers)
      expect((await ask(await provider.sign(claims, { key: foreign, header }))).status).toBe(404);
    expect(evil.counts.keys).toBe(0);
  });

  test('of an algorithm that the issuer may not use here, or of a kind that is none for access', async () => {
    const provider = await aProvider();
    await takes(provider, { algorithms: ['ES256'] });
    const rsa = await aKey('rsa', 'RS256');
    provider.keys.push(rsa);
    const claims = provider.claimsFor('ann', 'shop');
    expect((await ask(await provider.sign(claims, { key: rsa }))).status).toBe(404);
    expect((await ask(await provider.sign(claims, { header: { typ: 'logout+jwt' } }))).status).toBe(404);
    expect((await ask(await provider.sign(claims, { header: { typ: 'at+jwt' } }))).status).toBe(200);
  });

  test('as one for a tenant that is not there, to the letter', async () => {
    const provider = await aProvider();
    await takes(provider);
    const token = await provider.sign(provider.claimsFor('ann', 'shop'));
    const paths = [other, `/tenants/tnt_${'0'.repeat(32)}`, '/tenants/tnt_1'];
    const answers = await Promise.all(paths.map((path) => ask(token, `${path}/channels`)));
    for (const { status, body } of answers)
      expect([status, { ...body, requestId: '' }]).toEqual([404, { ...answers[0]?.body, requestId: '' }]);
  });
});

test('one that has ended is refused with what to do, once it is proved whose it was', async () => {
  const provider = await aProvider();
  await takes(provider);
  const past = { iat: Math.floor(Date.now() / 1_000) - 900, exp: Math.floor(Date.now() / 1_000) - 600 };
  const token = await provider.sign({ ...provider.claimsFor('ann', 'shop'), ...past });
  expect(await ask(token)).toMatchObject({ status: 401, body: { code: 'token_expired' } });
  expect(await ask(`${token.slice(0, -10)}AAAAAAAAAA`)).toMatchObject({ status: 404 });
  const long = { iat: past.iat - 2 * 86_400, exp: past.iat + 86_400 };
  expect(await ask(await provider.sign({ ...provider.claimsFor('ann', 'shop'), ...long }))).toMatchObject({
    status: 401,
  });
});

test('two tenants may take one issuer: the audience says whose a token is', async () => {
  const provider = await aProvider();
  await takes(provider, { audience: 'a' });
  await takes(provider, { audience: 'b' }, otherOwner, other);
  const [a, b] = [
    await provider.sign(provider.claimsFor('ann', 'a')),
    await provider.sign(provider.claimsFor('ann', 'b')),
  ];
  expect((await ask(a)).status).toBe(200);
  expect((await ask(b, `${other}/channels`)).status).toBe(200);
  expect((await ask(a, `${other}/channels`)).status).toBe(404);
  expect((await ask(b)).status).toBe(404);
});

describe('what a token gives', () => {
  test('is what its roles permit together, else the default role, else nothing, which the tenant is told', async () => {
    const provider = await aProvider();
    const { body: own } = await owner.call('POST', `${shop}/roles`, {
      body: { slug: `listers-${Date.now()}`, name: 'Listers', permissions: ['members:read'] },
    });
    const { id } = await takes(provider, {
      ...{ roleClaim: '/realm_access/roles', defaultRole: null },
      roles: [
        { value: 'support', role: 'member' },
        { value: 'hr', role: own.id },
      ],
      requiredClaims: [
        { claim: 'email_verified', value: true },
        { claim: 'amr', value: 'mfa' },
      ],
    });
    const token = (roles: unknown, more: JWTPayload = { email_verified: true, amr: ['pwd', 'mfa'] }) =>
      provider.sign(provider.claimsFor('ann', 'shop', { realm_access: { roles }, ...more }));
    const [both, hr] = [await token(['support', 'hr']), await token('hr')];
    expect((await ask(both, `${shop}/members`)).status).toBe(200);
    expect((await ask(both, `${shop}/conversations`)).status).toBe(200);
    expect((await ask(hr, `${shop}/conversations`)).status).toBe(403);
    expect((await ask(await token(['boss']))).status).toBe(404);
    expect((await ask(await token(['hr'], { email_verified: 'true', amr: ['mfa'] }))).status).toBe(404);
    const { items } = (await owner.call('GET', `${shop}/audit-events?action=authenticate`)).body;
    expect(items).toMatchObject([
      { reason: 'It does not say what is required in "email_verified".', personal: { subject: 'ann' } },
      { reason: 'No role is mapped to what it says, and there is no default role.' },
    ]);

    // A role that is gone is none.
    expect((await owner.call('DELETE', `${shop}/roles/${own.id}`)).status).toBe(204);
    await eventually(async () => expect((await ask(hr, `${shop}/members`)).status).toBe(404));
    expect((await owner.call('GET', `${shop}/token-issuers/${id}`)).body.roles).toHaveLength(2);
  });

  test('is never an operator’s, nor a person’s: no keys, no members, no issuers', async () => {
    const provider = await aProvider();
    await takes(provider, { defaultRole: 'owner' });
    const token = await provider.sign(provider.claimsFor('ann', 'shop', { is_operator: true }));
    const call = callerOf(service(), token);
    expect((await call('GET', `${shop}/members`)).status).toBe(200);
    const key = { name: 'A key', permissions: ['channels:read'] };
    expect((await call('POST', `${shop}/api-keys`, { body: key })).status).toBe(403);
    const invitation = { email: 'a@example.com', role: 'viewer' };
    expect((await call('POST', `${shop}/invitations`, { body: invitation })).status).toBe(403);
    const issuer = { name: 'Mine', issuer: provider.issuer, audience: 'mine' };
    expect((await call('POST', `${shop}/token-issuers`, { body: issuer })).status).toBe(403);
    expect((await call('DELETE', `${shop}/membership`)).status).toBe(403);
    expect((await call('POST', `${shop}/suspend`)).status).toBe(403);
    const role = { slug: `own-${Date.now()}`, name: 'Own', permissions: ['channels:read'] };
    expect((await call('POST', `${shop}/roles`, { body: role })).status).toBe(201);
  });

  test('is no more than whoever maps it may do themselves', async () => {
    const provider = await aProvider();
    const admin = await aPersonSignedIn(service(), { email: 'a@example.com', tenant: 'shop', role: 'admin' });
    await addApp(admin);
    const body = { name: 'IdP', issuer: provider.issuer, audience: 'shop' };
    const give = (more: object) =>
      admin.call('POST', `${shop}/token-issuers`, { body: { ...body, ...more } });
    await eventually(async () => expect((await give({ defaultRole: 'owner' })).status).toBe(403));
    expect((await give({ roleClaim: 'r', roles: [{ value: 'x', role: 'owner' }] })).status).toBe(403);
    expect((await give({ defaultRole: `rol_${'0'.repeat(32)}` })).status).toBe(409);
    expect((await give({ defaultRole: 'admin' })).status).toBe(201);
    expect((await give({ defaultRole: 'admin' })).status).toBe(409);
    const owners = await takes(provider, { audience: 'owners', defaultRole: 'owner' });
    const change = (by: Browser, change: object) =>
      by.call('PATCH', `${shop}/token-issuers/${owners.id}`, { body: change });
    expect((await change(admin, { audience: 'mine' })).status).toBe(403);
    expect(await change(owner, { defaultRole: 'viewer' })).toMatchObject({
      status: 200,
      body: { version: 2 },
    });
    const key = await anApiCaller(service(), { role: 'owner' });
    expect((await key.own('POST', '/token-issuers', { body: { ...body, audience: 'k' } })).status).toBe(403);
    expect((await (await anOperator(service())).call('GET', `${shop}/token-issuers`)).status).toBe(403);
  });
});

describe('an issuer', () => {
  test('gives no more than its keeper may do now, and nothing once they are gone, until somebody else keeps it', async () => {
    const provider = await aProvider();
    const email = 'keeper@example.com';
    const keeper = await aPersonSignedIn(service(), { email, tenant: 'shop', role: 'admin' });
    await addApp(keeper);
    const made = await eventually(() => takes(provider, { defaultRole: 'admin' }, keeper));
    const token = await provider.sign(provider.claimsFor('ann', 'shop'));
    const role = () => ({ slug: `of-${randomUUID()}`, name: 'Own', permissions: ['channels:read'] });
    const makeRole = async () =>
      (await callerOf(service(), token)('POST', `${shop}/roles`, { body: role(), headers: from() })).status;
    expect(await makeRole()).toBe(201);

    const members = (wish: Parameters<typeof operateMembers>[1]) =>
      operateMembers(service().app.storage, wish);
    await members({ tenant: 'shop', act: 'add', email, role: 'viewer' });
    await eventually(async () => expect(await makeRole()).toBe(403));
    expect((await ask(token)).status).toBe(200);

    await members({ tenant: 'shop', act: 'remove', email });
    await eventually(async () => expect((await ask(token)).status).toBe(404));
    const kept = await owner.call('PATCH', `${shop}/token-issuers/${made.id}`, { body: { name: 'Ours' } });
    expect(kept.status).toBe(200);
    expect((await ask(token)).status).toBe(200);
    expect(await makeRole()).toBe(201);
  });

  test('is registered and changed by somebody who has just shown a factor, and removed by whoever may', async () => {
    const provider = await aProvider();
    const made = await takes(provider);
    const late = await aPersonSignedIn(service(), {
      email: 'late@example.com',
      tenant: 'shop',
      role: 'owner',
    });
    await addApp(late);
    const { body } = await late.call('GET', '/me/sessions');
    await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql(
        `UPDATE identity.web_sessions SET authenticated_at = authenticated_at - interval '11 minutes',
             mfa_at = mfa_at - interval '11 minutes' WHERE id = $1`,
        [fromWire('session', body.items[0].id)],
      ),
    );
    const path = `${shop}/token-issuers/${made.id}`;
    await eventually(async () =>
      expect(await late.call('PATCH', path, { body: { name: 'Late' } })).toMatchObject({
        status: 403,
        body: { code: 'step_up_needed' },
      }),
    );
    expect((await late.call('DELETE', path)).status).toBe(204);
  });
});

describe('the keys of an issuer', () => {
  test('follow each other; one that is gone is good no more, and one that nobody knows is not looked for often', async () => {
    const provider = await aProvider();
    await takes(provider);
    const [first] = provider.keys;
    const claims = provider.claimsFor('ann', 'shop');
    const old = await provider.sign(claims);
    expect((await ask(old)).status).toBe(200);
    expect(provider.counts).toMatchObject({ metadata: 1, keys: 1 });
    await provider.rotate('k2', 'EdDSA');
    // Too soon to look again: whoever makes up names of keys makes nobody fetch.
    expect((await ask(await provider.sign(claims))).status).toBe(404);
    for (let count = 0; count < 20; count++)
      await ask(await provider.sign(claims, { header: { kid: `made-up-${count}` } }));
    expect(provider.counts).toMatchObject({ keys: 1 });
    expect(first?.kid).toBe('k1');
  });

  test.each<[string, (provider: IdentityProvider) => void]>([
    [
      'huge',
      (provider) =>
        provider.answers('/keys', (response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(1_000_000) }));
        }),
    ],
    ['no JSON', (provider) => provider.answers('/keys', (response) => response.end('<html>'))],
    ['no keys', (provider) => provider.answers('/keys', (response) => response.end('{"keys":7}'))],
    [
      'elsewhere',
      (provider) =>
        provider.answers('/keys', (response) => {
          response.writeHead(302, { location: 'http://169.254.169.254/keys' }).end();
        }),
    ],
    ['an error', (provider) => provider.answers('/keys', (response) => response.writeHead(500).end())],
    [
      'inside',
      (provider) =>
        provider.describesItself((metadata) => ({ ...metadata, jwks_uri: 'http://127.0.0.1:1/keys' })),
    ],
    [
      'of another issuer',
      (provider) =>
        provider.describesItself((metadata) => ({ ...metadata, issuer: 'https://issuer.example' })),
    ],
  ])('that are %s are none, and are asked for seldom', async (_, misbehave) => {
    const provider = await aProvider();
    misbehave(provider);
    await takes(provider);
    const token = await provider.sign(provider.claimsFor('ann', 'shop'));
    for (let count = 0; count < 5; count++)
      expect(await ask(token)).toMatchObject({ status: 503, body: { code: 'issuer_unavailable' } });
    expect(provider.counts.metadata).toBe(1);
  });

  test('that never come are waited for no longer than a few seconds', async () => {
    const provider = await aProvider();
    provider.answers('/keys', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"keys":[');
    });
    await takes(provider);
    const token = await provider.sign(provider.claimsFor('ann', 'shop'));
    expect(await ask(token)).toMatchObject({ status: 503 });
  });
});

test.each([
  'http://idp.example',
  'https://127.0.0.1',
  'https://10.0.0.1/realm',
  'https://[::1]',
  'https://169.254.169.254',
  'https://user:password@idp.example',
  'ftp://idp.example',
  'https://idp.example?tenant=1',
  'https://idp.example#x',
  'idp.example',
])('the address %s is no issuer’s', async (issuer) => {
  const body = { name: 'IdP', issuer, audience: 'shop' };
  expect(await owner.call('POST', `${shop}/token-issuers`, { body })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/body/issuer' }] },
  });
});

test('an address that leads inside is not reached', async () => {
  const provider = await anIdentityProvider();
  const guarded = await aService({ tenants: [{ slug: 'shop' }] });
  const someone = await aPersonSignedIn(guarded, {
    email: 'owner@example.com',
    tenant: 'shop',
    role: 'owner',
  });
  await addApp(someone);
  const path = `/tenants/${await tenantIdOf(guarded, 'shop')}/token-issuers`;
  await eventually(async () =>
    expect(
      await someone.call('POST', path, { body: { name: 'IdP', issuer: provider.issuer, audience: 'shop' } }),
    ).toMatchObject({ status: 400 }),
  );
  expect(provider.counts).toEqual({ metadata: 0, keys: 0, token: 0 });
});

test('an issuer that is taken back, or switched off, is good for nothing in every process within a second or so', async () => {
  const provider = await aProvider();
  const made = await takes(provider);
  const elsewhere = await aService({
    installation: service().installation,
    tenants: [],
    overrides: { allowedHosts: hosts },
  });
  const token = await provider.sign(provider.claimsFor('ann', 'shop'));
  const there = () => callerOf(elsewhere, token)('GET', `${shop}/channels`);
  expect((await there()).status).toBe(200);
  const change = (body: object) => owner.call('PATCH', `${shop}/token-issuers/${made.id}`, { body });
  expect((await change({ isEnabled: false })).status).toBe(200);
  expect((await ask(token)).status).toBe(404);
  await eventually(async () => expect((await there()).status).toBe(404));
  await change({ isEnabled: true });
  await eventually(async () => expect((await there()).status).toBe(200));
  expect((await owner.call('DELETE', `${shop}/token-issuers/${made.id}`)).status).toBe(204);
  await eventually(async () => expect((await there()).status).toBe(404));
});
