import { createHmac, randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { aKey, anIdentityProvider, type IdentityProvider } from '../fakes/identity-provider.ts';
import { anOrganizer, aPerson, organizationIdOf } from '../support/a-browser.ts';
import { aService } from '../support/a-service.ts';
import { aConnection, aSignOnBrowser } from '../support/a-sign-on.ts';
import { aSignOnStage } from '../support/a-sign-on-stage.ts';

const {
  service,
  ownerOf,
  tenantOf,
  aStranger,
  aProvider,
  signOnOf,
  lastReason,
  refusedFor,
  operator,
  organizationOf,
} = aSignOnStage();

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
          operator: operator(),
          domains: [domain],
          authentication: 'client_secret_post',
        },
        organizationId: organizationOf('acme'),
      },
      { joins: { role: 'viewer', tenantIds: [tenantOf('shop')] } },
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
    const path = `/organizations/${organizationOf('acme')}/sign-on-connections`;
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
