import { createHmac, randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createIdentityChecker } from './identity.ts';

const secret = 'a secret of the site that is long enough';
const bySecret = { kind: 'secret', required: false } as const;
const byKeys = { kind: 'jwks', jwksUrl: 'https://acme.example/jwks.json', required: false } as const;

let privateKey: CryptoKey;
let publicKey: CryptoKey;
let jwk: JWK;
beforeAll(async () => {
  ({ privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true }));
  jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
});

/** A fetch that answers with the keys, and says how often it was asked. */
const servingKeys = () => vi.fn<typeof fetch>(async () => Response.json({ keys: [jwk] }));
const neverFetch: typeof fetch = () => Promise.reject(new Error('must not be called'));

function aToken(claims: Record<string, unknown> = {}) {
  return new SignJWT({ sub: 'ann', exp: Math.floor(Date.now() / 1_000) + 600, ...claims });
}
const signed = (claims: Record<string, unknown> = {}, key = secret) =>
  aToken(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(key));
const signedByKey = (claims: Record<string, unknown> = {}) =>
  aToken(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey);

const checkSecret = (token: string, settings: object = {}) =>
  createIdentityChecker(neverFetch)(token, { ...bySecret, ...settings }, secret);
const checkKeys = (token: string, settings: object = {}, fetchKeys: typeof fetch = servingKeys()) =>
  createIdentityChecker(fetchKeys)(token, { ...byKeys, ...settings }, undefined);

describe('by a secret', () => {
  test('a visitor is who the site says', async () => {
    const token = await signed({ name: 'Ann', email: 'ann@acme.example', role: 'admin' });
    expect(await checkSecret(token)).toEqual({
      ok: true,
      identity: { subject: 'ann', profile: { name: 'Ann', email: 'ann@acme.example' } },
    });
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['another secret', () => signed({}, 'a secret of another site, long enough'), /not valid/],
    ['no subject', () => signed({ sub: undefined }), /"sub" is missing/],
    ['an empty subject', () => signed({ sub: '' }), /needs a "sub"/],
    ['a subject that is no text', () => signed({ sub: { toString: 'ann' } }), /needs a "sub"/],
    ['a number for a subject', () => signed({ sub: 5 }), /needs a "sub"/],
    ['a subject with a NUL', () => signed({ sub: 'ann\u0000' }), /needs a "sub"/],
    ['a long subject', () => signed({ sub: 'x'.repeat(201) }), /needs a "sub"/],
    ['no end', () => signed({ exp: undefined }), /"exp" is missing/],
    ['an end long ago', () => signed({ exp: 1 }), /has expired/],
    ['an end too far away', () => signed({ exp: Math.floor(Date.now() / 1_000) + 90_000 }), /lives too long/],
    ['an end that is text', () => signed({ exp: '9999999999' }), /"exp" is missing or wrong/],
    ['a beginning to come', () => signed({ nbf: Math.floor(Date.now() / 1_000) + 600 }), /"nbf"/],
  ])('nobody is vouched for with %s', async (_, make, reason) => {
    const check = await checkSecret(await make());
    expect(check).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  test('nobody is vouched for without a signature', async () => {
    const [header, claims] = (await signed()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const token of [`${header}.${claims}.`, `${none}.${claims}.`, '', 'ann', '..'])
      expect(await checkSecret(token)).toMatchObject({ ok: false });
  });

  test('nobody is vouched for by an empty secret', async () => {
    const [header = '', claims = ''] = (await signed()).split('.');
    const signature = createHmac('sha256', '').update(`${header}.${claims}`).digest('base64url');
    const check = createIdentityChecker(neverFetch);
    for (const empty of ['', undefined])
      expect(await check(`${header}.${claims}.${signature}`, bySecret, empty)).toMatchObject({ ok: false });
  });

  test('a profile has texts of a bounded length and nothing else', async () => {
    const token = await signed({ name: 'x'.repeat(321), email: { $ne: null }, picture: 'p' });
    expect(await checkSecret(token)).toMatchObject({ ok: true, identity: { profile: {} } });
  });
});

describe('by the keys of a URL', () => {
  test('a visitor is who the identity provider says', async () => {
    expect(await checkKeys(await signedByKey({ name: 'Ann' }))).toMatchObject({
      ok: true,
      identity: { subject: 'ann', profile: { name: 'Ann' } },
    });
  });

  test('the keys are fetched once, and asked for at the channel’s address only', async () => {
    const fetchKeys = servingKeys();
    const check = createIdentityChecker(fetchKeys);
    for (let count = 0; count < 3; count++) await check(await signedByKey(), byKeys, undefined);
    expect(fetchKeys).toHaveBeenCalledTimes(1);
    expect(String(fetchKeys.mock.calls[0]?.[0])).toBe(byKeys.jwksUrl);
  });

  test('a token’s own words about its key are not listened to', async () => {
    const attacker = await generateKeyPair('ES256', { extractable: true });
    const headers = [
      { jwk: await exportJWK(attacker.publicKey) },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
    ];
    for (const header of headers) {
      const fetchKeys = servingKeys();
      const token = await aToken()
        .setProtectedHeader({ alg: 'ES256', kid: 'k', ...header })
        .sign(attacker.privateKey);
      expect(await checkKeys(token, {}, fetchKeys)).toEqual({
        ok: false,
        reason: 'The identity token is not valid.',
      });
      for (const [address] of fetchKeys.mock.calls) expect(String(address)).toBe(byKeys.jwksUrl);
    }
  });

  test('a public key is no secret to sign with', async () => {
    for (const key of [await exportSPKI(publicKey), JSON.stringify(jwk), jwk.x ?? ''])
      expect(await checkKeys(await signed({}, key))).toMatchObject({ ok: false });
  });

  test('a channel’s secret vouches for nobody there', async () => {
    expect(await checkKeys(await signed())).toMatchObject({ ok: false });
  });

  test.each<[string, typeof fetch]>([
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
    ['answers with an error', async () => new Response('no', { status: 500 })],
    ['answers with something else', async () => new Response('<html>')],
    [
      'redirects',
      async () => new Response(undefined, { status: 302, headers: { location: 'http://127.0.0.1/' } }),
    ],
    ['answers with an empty set', async () => Response.json({ keys: [] })],
  ])('nobody is vouched for when the address %s', async (_, fetchKeys) => {
    expect(await checkKeys(await signedByKey(), {}, fetchKeys)).toMatchObject({ ok: false });
  });

  test('an answer without end is not read to its end', async () => {
    const sent = { bytes: 0 };
    const endless = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            const piece = randomBytes(64 * 1024);
            sent.bytes += piece.byteLength;
            controller.enqueue(piece);
          },
        }),
      );
    expect(await checkKeys(await signedByKey(), {}, endless)).toMatchObject({ ok: false });
    expect(sent.bytes).toBeLessThan(1024 * 1024);
  });
});

describe('with an issuer and an audience', () => {
  const named = { issuer: 'https://idp.example', audience: 'chat' };
  const right = { iss: 'https://idp.example', aud: ['other', 'chat'] };

  test('a token made for this chat is taken', async () => {
    expect(await checkKeys(await signedByKey(right), named)).toMatchObject({ ok: true });
    expect(await checkSecret(await signed(right), named)).toMatchObject({ ok: true });
  });

  test.each([
    ['another application', { ...right, aud: 'payroll' }, '"aud"'],
    ['nobody in particular', { ...right, aud: undefined }, '"aud"'],
    ['this chat, by somebody else', { ...right, iss: 'https://other.example' }, '"iss"'],
  ])('a token made for %s is not', async (_, claims, claim) => {
    const refused = { ok: false, reason: expect.stringContaining(claim) };
    expect(await checkKeys(await signedByKey(claims), named)).toEqual(refused);
    expect(await checkSecret(await signed(claims), named)).toEqual(refused);
  });
});

test('a channel without identity takes no token', async () => {
  expect(await createIdentityChecker(neverFetch)(await signed(), undefined, secret)).toMatchObject({
    ok: false,
  });
});
