import { createHmac, randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromWire } from '#domain/ids.ts';
import { operateMembers } from '../../src/cli/members.ts';
import { operateOrganizations } from '../../src/cli/organizations.ts';
import { operateUsers } from '../../src/cli/users.ts';
import { anAuthenticator } from '../fakes/authenticator.ts';
import { aKey, anIdentityProvider, type IdentityProvider } from '../fakes/identity-provider.ts';
import {
  aBrowser,
  addApp,
  anOperator,
  anOrganizer,
  aPerson,
  aPersonSignedIn,
  type Browser,
  organizationIdOf,
  somePassword,
} from '../support/a-browser.ts';
import { aService, sharedService } from '../support/a-service.ts';
import { aConnection, aSignOnBrowser, type SignOnBrowser } from '../support/a-sign-on.ts';
import { callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

// The provider is there before the service, whose operator opens its host.
const hosts: string[] = [];
const records = new Map<string, string[]>();
const service = sharedService({
  tenants: [
    { slug: 'shop' },
    { slug: 'warehouse' },
    { slug: 'elsewhere', organization: 'globex' },
    { slug: 'strict', organization: 'strict' },
  ],
  env: { TRUSTED_PROXIES: '127.0.0.1' },
  overrides: {
    allowedHosts: hosts,
    resolveTxt: async (name) => records.get(name) ?? [],
  },
});
let operator: Browser;
const owners = new Map<string, Browser>();
const organizationIds = new Map<string, string>();
let shop: string;
let elsewhere: string;

beforeAll(async () => {
  operator = await anOperator(service());
  for (const organization of ['acme', 'globex', 'strict']) {
    owners.set(organization, await anOrganizer(service(), { organization, role: 'owner' }));
    organizationIds.set(organization, await organizationIdOf(service(), organization));
  }
  shop = await tenantIdOf(service(), 'shop');
  elsewhere = await tenantIdOf(service(), 'elsewhere');
});

const ownerOf = (organization: string): Browser => {
  const owner = owners.get(organization);
  if (!owner) throw new Error(`Nobody owns "${organization}".`);
  return owner;
};

let count = 0;
/** From a network of its own each time: strangers may ask so often a minute. */
const aStranger = (): SignOnBrowser => {
  count++;
  return aSignOnBrowser(service(), `10.3.${count >> 8}.${count & 255}`);
};

async function aProvider(): Promise<IdentityProvider> {
  const provider = await anIdentityProvider();
  hosts.push(provider.host);
  return provider;
}

/** An organization's connection with a domain of its own; who comes for the first time joins its tenant, unless told otherwise. */
async function signOnOf(organization: string, more: object = {}, provider?: IdentityProvider) {
  const idp = provider ?? (await aProvider());
  const domain = `d${randomUUID().slice(0, 8)}.example`;
  const tenant =
    organization === 'acme'
      ? shop
      : await tenantIdOf(service(), organization === 'globex' ? 'elsewhere' : 'strict');
  const connection = await aConnection(
    {
      ...{ provider: idp, owner: ownerOf(organization), operator, domains: [domain] },
      organizationId: organizationIds.get(organization) ?? '',
    },
    { joins: { role: 'member', tenantIds: [tenant] }, ...more },
  );
  return { provider: idp, domain, ...connection, email: (name: string) => `${name}@${domain}` };
}

async function lastReason(): Promise<string> {
  const [event] = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql<{ reason: string }>(
      `SELECT reason FROM swarmgate.audit_events WHERE action = 'sign_in.refused' ORDER BY id DESC LIMIT 1`,
    ),
  );
  return event?.reason ?? '';
}

async function refusedFor(browser: SignOnBrowser, location: string, reason: RegExp): Promise<void> {
  const back = await browser.comeBack(location);
  expect(back).toMatchObject({ status: 403, location: null });
  expect(await lastReason()).toMatch(reason);
  expect([...browser.jar.keys()]).not.toContain('swarmgate-session');
}

describe('a sign-in at a provider', () => {
  const nothing = /has no such single sign-on under way/;

  test('is for the browser that began it, whatever another one brings', async () => {
    const { provider, email } = await signOnOf('acme');
    const [victim, attacker] = [aStranger(), aStranger()];
    provider.signsIn({ sub: 'attacker', email: email('attacker'), email_verified: true });
    const attackers = await attacker.atProvider(await attacker.begin({ email: email('attacker') }));
    provider.signsIn({ sub: 'victim', email: email('victim'), email_verified: true });
    const victims = await victim.atProvider(await victim.begin({ email: email('victim') }));

    // Each with the other's: the victim is not signed in as the attacker, nor the other way round.
    await refusedFor(victim, attackers, nothing);
    await refusedFor(attacker, victims, nothing);
    expect(provider.counts.token).toBe(0);
    // A browser that began nothing.
    await refusedFor(aStranger(), victims, nothing);
  });

  test('is finished once, with the state that it began with', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browser = aStranger();
    const location = await browser.atProvider(await browser.begin({ email: email('ann') }));
    const cookie = browser.jar.get('swarmgate-sign-on') ?? '';
    const changed = (change: (parameters: URLSearchParams) => void) => {
      const url = new URL(location);
      change(url.searchParams);
      return url.href;
    };
    const other = `sgo_${'A'.repeat(43)}`;
    for (const bad of [
      changed((parameters) => parameters.set('state', other)),
      changed((parameters) => parameters.delete('state')),
      changed((parameters) => parameters.set('state', "' OR 1=1 --")),
    ]) {
      const another = aSignOnBrowser(service());
      another.jar.set('swarmgate-sign-on', cookie);
      await refusedFor(another, bad, nothing);
    }
    expect(await browser.comeBack(location)).toMatchObject({ status: 303 });
    const again = aSignOnBrowser(service());
    again.jar.set('swarmgate-sign-on', cookie);
    await refusedFor(again, location, nothing);
    expect(provider.counts.token).toBe(1);
  });

  test('of many that come back with it at once, one is signed in', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browser = aStranger();
    const location = await browser.atProvider(await browser.begin({ email: email('ann') }));
    const cookie = browser.jar.get('swarmgate-sign-on') ?? '';
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => {
        const twin = aStranger();
        twin.jar.set('swarmgate-sign-on', cookie);
        return twin.comeBack(location);
      }),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(provider.complaints).toEqual([]);
  });

  test('ends after ten minutes', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const browser = aStranger();
    const location = await browser.atProvider(await browser.begin({ email: email('ann') }));
    const rows = await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql<{ seconds: number }>(
        `UPDATE identity.sign_on_attempts SET expires_at = now() WHERE used_at IS NULL AND expires_at > now()
           RETURNING extract(epoch FROM (SELECT max(expires_at - created_at) FROM identity.sign_on_attempts))::int AS seconds`,
      ),
    );
    expect(rows[0]?.seconds).toBe(600);
    await refusedFor(browser, location, nothing);
  });

  test('comes back by its own connection only, and its answer is of its own issuer (mix-up)', async () => {
    const provider = await aProvider();
    const honest = await signOnOf('acme', {}, provider);
    const evil = await signOnOf('acme');
    honest.provider.signsIn({ sub: 'ann', email: honest.email('ann'), email_verified: true });

    // The evil provider has the browser come back with the honest one's code, at either address.
    const browser = aStranger();
    const toEvil = new URL(await browser.begin({ connectionId: evil.id }));
    const honestBrowser = aStranger();
    const fromHonest = new URL(
      await honestBrowser.atProvider(await honestBrowser.begin({ email: honest.email('ann') })),
    );
    const mixed = new URL(evil.redirectUri);
    mixed.searchParams.set('state', toEvil.searchParams.get('state') ?? '');
    mixed.searchParams.set('code', fromHonest.searchParams.get('code') ?? '');
    mixed.searchParams.set('iss', honest.provider.issuer);
    const atHonest = new URL(honest.redirectUri);
    for (const [name, value] of mixed.searchParams) atHonest.searchParams.set(name, value);
    await refusedFor(browser, atHonest.href, nothing);
    await refusedFor(browser, mixed.href, /OAUTH_/);
    expect([honest.provider.counts.token, evil.provider.counts.token]).toEqual([0, 0]);

    // An issuer that promises to say who it is, and does not.
    const silent = aStranger();
    const location = new URL(await silent.atProvider(await silent.begin({ email: honest.email('ann') })));
    location.searchParams.delete('iss');
    await refusedFor(silent, location.href, /OAUTH_/);
  });

  test('that the person breaks off is told as such, and nothing of the provider’s words is shown', async () => {
    const { email } = await signOnOf('acme');
    const browser = aStranger();
    const state = new URL(await browser.begin({ email: email('ann') })).searchParams.get('state') ?? '';
    const { redirectUri, provider } = await signOnOf('acme');
    expect(redirectUri).toContain('/sso/');
    const own = aStranger();
    const begun = new URL(await own.begin({ connectionId: redirectUri.split('/')[4] ?? '' }));
    const back = new URL(redirectUri);
    back.searchParams.set('state', begun.searchParams.get('state') ?? '');
    back.searchParams.set('iss', provider.issuer);
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', '<script>alert(1)</script>');
    const answer = await own.comeBack(back.href);
    expect(answer).toMatchObject({ status: 403 });
    expect(answer.text).not.toMatch(/script|alert/);
    expect(await lastReason()).toBe('The provider refused: access_denied.');
    expect(state).toMatch(/^sgo_/);
  });

  test.each(['//evil.example', 'https://evil.example', '/\\evil.example', '/admin#x', '/chat/v1/messages'])(
    'does not end at %s',
    async (returnPath) => {
      const { email } = await signOnOf('acme');
      expect(
        await aStranger().call('POST', '/sign-in/sso', { body: { email: email('ann'), returnPath } }),
      ).toMatchObject({ status: 400, body: { code: 'foreign_page' } });
    },
  );

  test('is answered the same for every address that signs in otherwise', async () => {
    const { id, email } = await signOnOf('acme');
    const person = `person-${randomUUID()}@example.com`;
    await aPerson(service(), { email: person });
    const ask = (body: object) => aStranger().call('POST', '/sign-in/sso', { body });
    const answers = [
      await ask({ email: person }),
      await ask({ email: 'nobody@example.com' }),
      await ask({ email: 'no address' }),
      await ask({ connectionId: `sso_${'0'.repeat(32)}` }),
      await ask({}),
    ];
    for (const { status, body } of answers)
      expect([status, { ...body, requestId: '' }]).toEqual([404, { ...answers[0]?.body, requestId: '' }]);
    const known = await ask({ email: email('somebody who has no account') });
    expect(known.status).toBe(404);
    expect((await ask({ email: email('nobody') })).status).toBe(200);
    expect((await ask({ connectionId: id })).status).toBe(200);
  });
});

describe('an ID token is refused', () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each<[string, (claims: JWTPayload) => JWTPayload]>([
    ['of another issuer', (claims) => ({ ...claims, iss: 'https://issuer.example' })],
    ['for another client', (claims) => ({ ...claims, aud: 'somebody else' })],
    [
      'for another client too, without saying whose it is',
      (claims) => ({ ...claims, aud: [String(claims.aud), 'else'] }),
    ],
    ['that was issued to another client', (claims) => ({ ...claims, azp: 'somebody else' })],
    ['with the nonce of another sign-in', (claims) => ({ ...claims, nonce: 'A'.repeat(43) })],
    ['without a nonce', ({ nonce: _, ...claims }) => claims],
    ['that has expired', (claims) => ({ ...claims, iat: now() - 400, exp: now() - 100 })],
    ['without an end', ({ exp: _, ...claims }) => claims],
    ['without a beginning', ({ iat: _, ...claims }) => claims],
    ['from the future', (claims) => ({ ...claims, iat: now() + 600, exp: now() + 900 })],
    ['of long ago', (claims) => ({ ...claims, iat: now() - 3_600 })],
    ['for the future', (claims) => ({ ...claims, nbf: now() + 600 })],
    ['without a subject', ({ sub: _, ...claims }) => claims],
    ['with a subject that breaks lines', (claims) => ({ ...claims, sub: 'a\nb' })],
  ])('%s', async (_, change) => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    provider.misbehave(change);
    const browser = aStranger();
    await refusedFor(
      browser,
      await browser.atProvider(await browser.begin({ email: email('ann') })),
      /^(?:The ID token|What the provider answered)/,
    );
    provider.misbehave((claims) => claims);
    expect(await aStranger().signOn({ email: email('ann') })).toMatchObject({ status: 303 });
  });

  test('that is signed by nobody, by a secret, by another key, or by one of its own header', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const [own] = provider.keys;
    const foreign = await aKey('k1', 'ES256');
    const evil = await aProvider();
    evil.keys.splice(0, 1, foreign);
    const forge =
      (header: object, sign: (start: string) => string) => (response: import('node:http').ServerResponse) => {
        const claims = provider.claimsFor('ann', 'x', { email: email('ann'), email_verified: true });
        const start = `${base64(header)}.${base64(claims)}`;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({ access_token: 'a', token_type: 'Bearer', id_token: `${start}.${sign(start)}` }),
        );
      };
    const attempt = async () => {
      const browser = aStranger();
      const location = await browser.atProvider(await browser.begin({ email: email('ann') }));
      await refusedFor(browser, location, /^(?:The ID token|What the provider answered)/);
    };
    for (const header of [
      {},
      { kid: 'unknown' },
      { jku: `${evil.issuer}/keys` },
      { x5u: `${evil.issuer}/keys` },
      { jwk: foreign.publicJwk },
    ]) {
      provider.misbehave((claims) => claims, { key: foreign, header });
      await attempt();
    }
    const secret = JSON.stringify(own?.publicJwk);
    const hmac = (start: string) => createHmac('sha256', secret).update(start).digest('base64url');
    for (const [header, sign] of [
      [{ alg: 'none' }, () => ''],
      [{ alg: 'HS256', kid: 'k1' }, hmac],
      [{ alg: 'ES256', kid: 'k1' }, () => Buffer.alloc(64).toString('base64url')],
    ] as const) {
      provider.answers('/token', forge(header, sign));
      await attempt();
    }
    expect(evil.counts.keys).toBe(0);
  });

  test('after its provider has taken a key away, and one of a new key is taken once that is published', async () => {
    const { provider, email } = await signOnOf('acme');
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    await provider.rotate('k2', 'RS256', { only: false });
    expect(await aStranger().signOn({ email: email('ann') })).toMatchObject({ status: 303 });
  });
});

describe('a provider that', () => {
  test.each<[string, (provider: IdentityProvider) => void]>([
    [
      'answers with too much',
      (provider) =>
        provider.answers('/token', (response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ padding: 'x'.repeat(1_000_000) }));
        }),
    ],
    [
      'never ends its answer',
      (provider) =>
        provider.answers('/token', (response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.write('{"access_token":');
        }),
    ],
    [
      'sends us elsewhere',
      (provider) =>
        provider.answers('/token', (response) => {
          response.writeHead(307, { location: 'http://169.254.169.254/token' }).end();
        }),
    ],
    [
      'has a token endpoint inside',
      (provider) =>
        provider.describesItself((metadata) => ({ ...metadata, token_endpoint: 'http://127.0.0.1:1/token' })),
    ],
    [
      'has keys inside',
      (provider) =>
        provider.describesItself((metadata) => ({ ...metadata, jwks_uri: 'http://127.0.0.1:1/keys' })),
    ],
    [
      'has huge keys',
      (provider) =>
        provider.answers('/keys', (response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(1_000_000) }));
        }),
    ],
  ])('%s signs nobody in', async (_, misbehave) => {
    const { provider, email } = await signOnOf('acme');
    misbehave(provider);
    provider.signsIn({ sub: 'ann', email: email('ann'), email_verified: true });
    const back = await aStranger().signOn({ email: email('ann') });
    expect([403, 503]).toContain(back.status);
    expect(back.location).toBeNull();
  });

  test.each<[string, (provider: IdentityProvider) => void]>([
    [
      'is another one than it says',
      (provider) =>
        provider.describesItself((metadata) => ({ ...metadata, issuer: 'https://issuer.example' })),
    ],
    [
      'would have people go inside',
      (provider) =>
        provider.describesItself((metadata) => ({
          ...metadata,
          authorization_endpoint: 'http://127.0.0.1:1/authorize',
        })),
    ],
    [
      'would have people run a script',
      (provider) =>
        provider.describesItself((metadata) => ({
          ...metadata,
          authorization_endpoint: 'javascript:alert(1)',
        })),
    ],
    [
      'does not answer',
      (provider) =>
        provider.answers('/.well-known/openid-configuration', (response) => response.writeHead(500).end()),
    ],
  ])('%s is not gone to', async (_, misbehave) => {
    const { provider, email } = await signOnOf('acme');
    misbehave(provider);
    expect(await aStranger().call('POST', '/sign-in/sso', { body: { email: email('ann') } })).toMatchObject({
      status: 503,
      body: { code: 'issuer_unavailable' },
    });
  });

  test('takes the client’s secret in the body is given it there', async () => {
    const provider = await aProvider();
    provider.describesItself((metadata) => ({
      ...metadata,
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    }));
    const domain = `d${randomUUID().slice(0, 8)}.example`;
    await aConnection(
      {
        ...{
          provider,
          owner: ownerOf('acme'),
          operator,
          domains: [domain],
          authentication: 'client_secret_post',
        },
        organizationId: organizationIds.get('acme') ?? '',
      },
      { joins: { role: 'viewer', tenantIds: [shop] } },
    );
    provider.signsIn({ sub: 'ann', email: `ann@${domain}`, email_verified: true });
    expect(await aStranger().signOn({ email: `ann@${domain}` })).toMatchObject({ status: 303 });
    expect(provider.complaints).toEqual([]);
  });

  test.each([
    'http://idp.example',
    'https://127.0.0.1',
    'https://[::1]',
    'https://169.254.169.254',
    'https://10.1.2.3',
    'https://u:p@idp.example',
    'idp.example',
  ])('has the address %s is none', async (issuer) => {
    const path = `/organizations/${organizationIds.get('acme')}/sign-on-connections`;
    const body = { name: 'IdP', issuer, clientId: 'c', clientSecret: 's' };
    expect(await ownerOf('acme').call('POST', path, { body })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/body/issuer' }] },
    });
  });

  test('is inside is not reached, where the operator does not open it', async () => {
    const provider = await anIdentityProvider();
    const guarded = await aService({ tenants: [{ slug: 'shop' }] });
    const owner = await anOrganizer(guarded, { organization: 'acme', role: 'owner' });
    const path = `/organizations/${await organizationIdOf(guarded, 'acme')}/sign-on-connections`;
    const body = { name: 'IdP', issuer: provider.issuer, clientId: 'c', clientSecret: 's' };
    expect((await owner.call('POST', path, { body })).status).toBe(400);
    expect(provider.counts).toEqual({ metadata: 0, keys: 0, token: 0 });
  });
});

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
    const path = `/organizations/${organizationIds.get('acme')}/sign-on-domains`;
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
    expect((await browser.call('GET', `/tenants/${shop}/conversations`)).status).toBe(200);
    expect((await browser.call('GET', `/tenants/${elsewhere}/conversations`)).status).toBe(404);
    expect((await browser.call('GET', '/me')).body.tenants).toMatchObject([{ slug: 'shop' }]);
    expect((await own.call('GET', '/me')).body.tenants).toMatchObject([
      { slug: 'elsewhere' },
      { slug: 'shop' },
    ]);
    // Nor by a token.
    const { body } = await browser.call('POST', '/tokens', { body: {} });
    const call = callerOf(service(), body.accessToken);
    expect((await call('GET', `/tenants/${shop}/conversations`)).status).toBe(200);
    expect((await call('GET', `/tenants/${elsewhere}/conversations`)).status).toBe(404);
    expect((await browser.call('POST', '/tokens', { body: { tenantId: elsewhere } })).status).toBe(404);
    expect((await browser.call('POST', '/tokens', { body: { tenantId: shop } })).status).toBe(201);
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
          `/organizations/${organizationIds.get(organization)}/invitations`,
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
    expect((await stranger.call('GET', `/tenants/${shop}/conversations`)).status).toBe(200);
    expect((await stranger.call('GET', `/tenants/${elsewhere}/conversations`)).status).toBe(404);

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
    expect((await call('GET', `/tenants/${shop}/channels`)).status).toBe(200);
    const { status } = await ownerOf('acme').call('DELETE', acme.path);
    expect(status).toBe(204);
    await eventually(async () => {
      expect((await browser.call('GET', '/me')).status).toBe(401);
      expect((await call('GET', `/tenants/${shop}/channels`)).status).toBe(401);
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

describe('a connection that is changed', () => {
  test('to another issuer or client is given its secret anew', async () => {
    const { path } = await signOnOf('acme');
    for (const body of [{ clientId: 'another' }, { issuer: 'https://elsewhere.example' }])
      expect(await ownerOf('acme').call('PATCH', path, { body })).toMatchObject({
        status: 409,
        body: { code: 'client_secret_needed' },
      });
    const body = { clientId: 'another', clientSecret: 'another secret' };
    expect(await ownerOf('acme').call('PATCH', path, { body })).toMatchObject({ status: 200 });
  });

  test('is changed by somebody who has just shown a factor, and switched off by whoever may', async () => {
    const { path } = await signOnOf('acme');
    const { scopes } = service().app.storage;
    const owner = ownerOf('acme');
    const { body: sessions } = await owner.call('GET', '/me/sessions');
    const age = (by: string) =>
      scopes.inIdentity((unit) =>
        unit.sql(
          `UPDATE identity.web_sessions SET authenticated_at = authenticated_at ${by}, mfa_at = mfa_at ${by} WHERE id = $1`,
          [fromWire('session', sessions.items.find(({ isThisOne }: { isThisOne: boolean }) => isThisOne).id)],
        ),
      );
    await age(`- interval '11 minutes'`);
    for (const [method, body] of [
      ['PATCH', { name: 'Other' }],
      ['DELETE', undefined],
    ] as const)
      expect(await owner.call(method, path, body && { body })).toMatchObject({
        status: 403,
        body: { code: 'step_up_needed' },
      });
    expect(await owner.call('PATCH', path, { body: { isEnabled: false } })).toMatchObject({ status: 200 });
    await age(`+ interval '11 minutes'`);
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
    expect((await browser.call('GET', `/tenants/${elsewhere}/channels`)).status).toBe(404);
  });
});

describe('an organization that takes no passwords', () => {
  test('refuses who comes with one, lets in who signs on, and operators look after it still', async () => {
    const strict = await signOnOf('strict');
    const path = `/organizations/${organizationIds.get('strict')}`;
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
      expect((await ofBoth.call('GET', `/tenants/${elsewhere}/channels`)).status).toBe(200);
    });
    expect((await signedOn.call('GET', `${tenantPath}/channels`)).status).toBe(200);
    await eventually(async () => expect((await ownerOf('strict').call('GET', path)).status).toBe(403));

    // The last way in is not closed by who would stand outside then.
    expect(await signedOn.call('PATCH', strict.path, { body: { isEnabled: false } })).toMatchObject({
      status: 409,
      body: { code: 'last_way_in' },
    });
    expect((await operator.call('GET', path)).status).toBe(200);
    const [, listed] = [
      await operateOrganizations(service().app.storage, {
        ...{ act: 'change', organization: 'strict', what: 'requiresSingleSignOn', isRequired: false },
      }),
      await withPassword(member),
    ];
    expect(listed.status).toBe(200);
  });
});

describe('a domain', () => {
  const path = (organization: string) =>
    `/organizations/${organizationIds.get(organization)}/sign-on-domains`;
  const claim = (organization: string, domain: string) =>
    ownerOf(organization).call('POST', path(organization), { body: { domain } });

  test('may be claimed by many, and is believed of one, by an operator’s word or its own', async () => {
    const domain = `c${randomUUID().slice(0, 8)}.example`;
    const [acme, globex] = [await claim('acme', domain), await claim('globex', ` ${domain.toUpperCase()}. `)];
    expect([acme.status, globex.status, globex.body.domain]).toEqual([201, 201, domain]);
    expect(await claim('acme', domain)).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    const confirm = (organization: string, id: string, by = operator) =>
      by.call('POST', `${path(organization)}/${id}/confirm`);
    expect((await confirm('globex', globex.body.id, ownerOf('globex'))).status).toBe(403);
    expect((await confirm('acme', globex.body.id)).status).toBe(404);

    const prove = (organization: string, id: string) =>
      ownerOf(organization).call('POST', `${path(organization)}/${id}/prove`);
    expect(await prove('acme', acme.body.id)).toMatchObject({
      status: 409,
      body: { code: 'domain_not_proved' },
    });
    const { name, value } = acme.body.record;
    expect([name, value]).toEqual([
      `_swarmgate.${domain}`,
      expect.stringMatching(/^swarmgate-domain=[0-9a-f]{32}$/),
    ]);
    records.set(name, ['v=spf1 -all', value]);
    expect(await prove('globex', globex.body.id)).toMatchObject({ status: 409 });
    expect(await prove('acme', acme.body.id)).toMatchObject({ status: 200, body: { confirmedBy: 'dns' } });
    expect(await confirm('globex', globex.body.id)).toMatchObject({
      status: 409,
      body: { code: 'domain_taken' },
    });

    expect((await ownerOf('acme').call('DELETE', `${path('acme')}/${acme.body.id}`)).status).toBe(204);
    expect(await confirm('globex', globex.body.id)).toMatchObject({
      status: 200,
      body: { confirmedBy: 'operator' },
    });
    expect((await ownerOf('globex').call('GET', path('globex'))).body.items).toContainEqual(
      expect.objectContaining({ domain, confirmedBy: 'operator' }),
    );
  });

  test('is confirmed at the command line by who looks after the installation, where it is claimed', async () => {
    const domain = `k${randomUUID().slice(0, 8)}.example`;
    const confirm = (organization: string) =>
      operateOrganizations(service().app.storage, { act: 'confirm-domain', organization, domain });
    await expect(confirm('acme')).rejects.toMatchObject({ code: 'organization_refused' });
    const { body } = await claim('acme', domain);
    await claim('globex', domain);
    await confirm('acme');
    const { items } = (await ownerOf('acme').call('GET', path('acme'))).body;
    expect(items).toContainEqual(expect.objectContaining({ id: body.id, confirmedBy: 'operator' }));
    await expect(confirm('globex')).rejects.toMatchObject({ code: 'organization_refused' });
    const [told] = await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql(
        `SELECT actor_kind, detail ->> 'domain' AS domain FROM swarmgate.audit_events
           WHERE action = 'sign_on_domain.confirmed' ORDER BY id DESC LIMIT 1`,
      ),
    );
    expect(told).toEqual({ actor_kind: 'operator', domain });
  });

  test('leads to a connection of its own organization only', async () => {
    const globex = await signOnOf('globex');
    const body = { domain: `l${randomUUID().slice(0, 8)}.example`, connectionId: globex.id };
    expect(await ownerOf('acme').call('POST', path('acme'), { body })).toMatchObject({
      status: 409,
      body: { code: 'unknown_connection' },
    });
    const { body: own } = await claim('acme', body.domain);
    const change = { body: { connectionId: globex.id } };
    expect((await ownerOf('acme').call('PATCH', `${path('acme')}/${own.id}`, change)).status).toBe(409);
  });

  test.each([
    '',
    'localhost',
    'a b.example',
    '127.0.0.1',
    'example.',
    '-a.example',
    `${'a'.repeat(64)}.example`,
    'a@b.example',
    'https://a.example',
  ])('%j is none', async (domain) => {
    expect((await claim('acme', domain)).status).toBe(400);
  });
});

test('a connection joins people to tenants of its organization only, and shows no secret', async () => {
  const path = `/organizations/${organizationIds.get('acme')}/sign-on-connections`;
  const body = {
    name: 'IdP',
    issuer: 'https://idp.example',
    clientId: 'c',
    clientSecret: 'the secret of the client',
  };
  const foreign = { ...body, joins: { role: 'admin', tenantIds: [shop, elsewhere] } };
  expect(await ownerOf('acme').call('POST', path, { body: foreign })).toMatchObject({
    status: 409,
    body: { code: 'unknown_tenant' },
  });
  const made = await ownerOf('acme').call('POST', path, { body });
  expect(made.status).toBe(201);
  const admin = await anOrganizer(service(), { organization: 'acme', role: 'admin' });
  expect((await admin.call('GET', path)).status).toBe(200);
  expect((await admin.call('PATCH', `${path}/${made.body.id}`, { body: { name: 'Mine' } })).status).toBe(403);
  const seen = JSON.stringify([made.body, (await admin.call('GET', path)).body]);
  const told = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql('SELECT * FROM swarmgate.audit_events'),
  );
  expect(seen + JSON.stringify([told, service().logLines])).not.toContain('the secret of the client');
});
