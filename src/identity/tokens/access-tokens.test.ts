import { createHmac, KeyObject, sign as signBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  CompactEncrypt,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId, toWire } from '#domain/ids.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { TokenKeys } from './token-keys.ts';

const issuer = 'https://chat.example';
const kid = 'first';
const userId = newId();
const sessionId = newId();
const tenantId = newId();
const now = Date.parse('2026-11-29T12:00:00Z');
const seconds = now / 1_000;

let publicKey: CryptoKey;
let privateKey: CryptoKey;
let publicJwk: JWK;
let stranger: { publicKey: CryptoKey; privateKey: CryptoKey };
/** What a key was looked for by. */
const askedFor: string[] = [];
const clock = { nowMs: now };

const keys: TokenKeys = {
  toSign: async () => ({ kid, privateKey }),
  async toVerify(name) {
    askedFor.push(name);
    return name === kid ? publicKey : undefined;
  },
  published: async () => ({ keys: [publicJwk] }),
};
const tokens = createAccessTokens({ keys, issuer, nowMs: () => clock.nowMs });

beforeAll(async () => {
  ({ publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true }));
  stranger = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  publicJwk = await exportJWK(publicKey);
});

const goodHeader = () => ({ alg: 'EdDSA', typ: 'at+jwt', kid });
const goodClaims = () => ({
  iss: issuer,
  aud: issuer,
  sub: toWire('user', userId),
  sid: toWire('session', sessionId),
  tenant: toWire('tenant', tenantId),
  jti: newId(),
  iat: seconds,
  nbf: seconds,
  exp: seconds + 300,
  roles: ['admin'],
});

const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs whatever it is given with the right key: what is refused is not refused for its signature. */
function forge(header: string | object, claims: string | object, key = privateKey): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = signBytes(null, Buffer.from(input), KeyObject.from(key));
  return `${input}.${signature.toString('base64url')}`;
}

const refused = { ok: false, reason: expect.stringMatching(/malformed|expired|invalid/) };

describe('a token', () => {
  test('says what it was issued for', async () => {
    clock.nowMs = now;
    const claims = {
      userId,
      sessionId,
      familyId: newId(),
      tenantId,
      organizationId: newId(),
      roles: ['admin'],
      scope: ['agents:read', 'conversations:write'] as const,
    };
    const { token, expiresAt } = await tokens.issue(claims);
    expect(await tokens.verify(token)).toEqual({ ok: true, claims });
    expect(expiresAt).toEqual(new Date(now + 300_000));
  });

  test('is what the forger of these tests makes, when nothing is wrong with it', async () => {
    expect(await tokens.verify(forge(goodHeader(), goodClaims()))).toMatchObject({
      ok: true,
      claims: { userId },
    });
  });

  test('lives five minutes, and not before its time', async () => {
    clock.nowMs = now;
    const { token } = await tokens.issue({ userId, sessionId, roles: [] });
    const at = async (afterMs: number) => {
      clock.nowMs = now + afterMs;
      const checked = await tokens.verify(token);
      clock.nowMs = now;
      return checked.ok ? 'good' : checked.reason;
    };
    expect([await at(0), await at(299_000), await at(306_000), await at(-10_000)]).toEqual([
      'good',
      'good',
      'expired',
      'invalid',
    ]);
  });
});

describe('a token that was good before', () => {
  test('is good again, and not once its key is withdrawn', async () => {
    let isPublished = true;
    const withdrawn = createAccessTokens({
      ...{ issuer, nowMs: () => clock.nowMs },
      keys: { ...keys, toVerify: async () => (isPublished ? publicKey : undefined) },
    });
    const { token } = await withdrawn.issue({ userId, sessionId, roles: [] });
    const first = await withdrawn.verify(token);
    expect(await withdrawn.verify(token)).toEqual(first);
    expect(first.ok).toBe(true);
    isPublished = false;
    expect(await withdrawn.verify(token)).toEqual(refused);
  });

  test('vouches for no other, whatever they have in common', async () => {
    const { token } = await tokens.issue({ userId, sessionId, roles: [] });
    const other = await tokens.issue({ userId: newId(), sessionId, roles: [] });
    expect(await tokens.verify(token)).toMatchObject({ ok: true });
    expect(await tokens.verify(other.token)).toMatchObject({ ok: true });
    const [header, payload] = token.split('.');
    const [, otherPayload, otherSignature] = other.token.split('.');
    expect(await tokens.verify(`${header}.${payload}.${otherSignature}`)).toEqual(refused);
    expect(await tokens.verify(`${header}.${otherPayload}.${token.split('.')[2]}`)).toEqual(refused);
  });
});

describe('is refused', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', ''])('without a signature, as algorithm "%s"', async (alg) => {
    for (const signature of ['', 'x', 'AAAA'])
      expect(
        await tokens.verify(`${encode({ ...goodHeader(), alg })}.${encode(goodClaims())}.${signature}`),
      ).toEqual(refused);
    expect(await tokens.verify(new UnsecuredJWT(goodClaims()).encode())).toEqual(refused);
    expect(await tokens.verify(forge({ ...goodHeader(), alg }, goodClaims()))).toEqual(refused);
  });

  test('signed by HMAC under the public key, in whichever form', async () => {
    const secrets = [
      await exportSPKI(publicKey),
      (await exportSPKI(publicKey)).trim(),
      JSON.stringify(publicJwk),
      publicJwk.x ?? '',
      Buffer.from(publicJwk.x ?? '', 'base64url'),
    ];
    for (const alg of ['HS256', 'HS512'])
      for (const secret of secrets) {
        const input = `${encode({ ...goodHeader(), alg })}.${encode(goodClaims())}`;
        const mac = createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
          .update(input)
          .digest('base64url');
        expect(await tokens.verify(`${input}.${mac}`)).toEqual(refused);
      }
  });

  test.each(['ES256', 'RS256', 'PS256', 'Ed25519', 'Ed448', 'eddsa', 'EdDSA '])(
    'with the algorithm %s, though the signature is right',
    async (alg) => {
      expect(await tokens.verify(forge({ ...goodHeader(), alg }, goodClaims()))).toEqual(refused);
    },
  );

  test('ES256 with r and s zero', async () => {
    const token = `${encode({ ...goodHeader(), alg: 'ES256' })}.${encode(goodClaims())}.${'A'.repeat(86)}`;
    expect(await tokens.verify(token)).toEqual(refused);
  });

  test.each([
    '../../../../dev/null',
    '/dev/null',
    `first' OR '1'='1`,
    'https://evil.example/key.json',
    'first\u0000',
    'First',
    'x'.repeat(5_000),
    '__proto__',
    'constructor',
    '',
  ])('with a key that nobody has: %s', async (name) => {
    expect(await tokens.verify(forge({ ...goodHeader(), kid: name }, goodClaims()))).toEqual(refused);
    expect(
      await tokens.verify(forge({ ...goodHeader(), kid: name }, goodClaims(), stranger.privateKey)),
    ).toEqual(refused);
  });

  test.each([[undefined], [null], [1], [['first']], [{ first: 1 }]])(
    'with a key id that is no text: %j',
    async (name) => {
      expect(await tokens.verify(forge({ ...goodHeader(), kid: name }, goodClaims()))).toEqual(refused);
    },
  );

  test('bringing its own key, or saying where it is to be found', async () => {
    const own = await exportJWK(stranger.publicKey);
    const extras = [
      { jwk: own },
      { jwk: publicJwk },
      { jku: 'https://evil.example/jwks.json' },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: ['MIIB'] },
    ];
    for (const extra of extras)
      for (const key of [privateKey, stranger.privateKey])
        expect(await tokens.verify(forge({ ...goodHeader(), ...extra }, goodClaims(), key))).toEqual(refused);
  });

  test.each([
    { crit: ['exp'] },
    { crit: [] },
    { crit: ['b64'], b64: false },
    { b64: false },
    { b64: true, crit: ['b64'] },
    { zip: 'DEF' },
    { cty: 'JWT' },
    { enc: 'A256GCM' },
  ])('with %j in its header', async (extra) => {
    expect(await tokens.verify(forge({ ...goodHeader(), ...extra }, goodClaims()))).toEqual(refused);
  });

  test.each(['JWT', 'at+jwt ', 'id+jwt', 'application/at+jwt', undefined, null])(
    'of the type %s',
    async (typ) => {
      expect(await tokens.verify(forge({ ...goodHeader(), typ }, goodClaims()))).toEqual(refused);
    },
  );

  test.each([
    ['iss', 'https://evil.example'],
    ['iss', `${issuer}/`],
    ['iss', undefined],
    ['iss', [issuer]],
    ['aud', 'https://other.example'],
    ['aud', undefined],
    ['aud', []],
    ['aud', [issuer, 'https://other.example']],
    ['sub', undefined],
    ['sub', 'usr_1'],
    ['sub', toWire('tenant', userId)],
    ['sub', 1],
    ['sid', undefined],
    ['jti', undefined],
    ['tenant', 'tnt_x'],
    ['roles', 'admin'],
    ['scope', 'everything'],
    ['exp', undefined],
    ['exp', seconds - 60],
    ['exp', String(seconds + 300)],
    ['exp', seconds + 300.5],
    ['exp', -1],
    ['exp', null],
    ['nbf', seconds + 60],
    ['nbf', undefined],
    ['iat', seconds + 60],
    ['iat', seconds - 3_600],
    ['iat', undefined],
    ['isOperator', true],
  ])('with %s: %j, though it is signed', async (claim, value) => {
    clock.nowMs = now;
    expect(await tokens.verify(forge(goodHeader(), { ...goodClaims(), [claim]: value }))).toEqual(refused);
  });

  test('with a number too large for one', async () => {
    const text = JSON.stringify(goodClaims()).replace(/"exp":\d+/, '"exp":1e999');
    expect(await tokens.verify(forge(goodHeader(), text))).toEqual(refused);
  });

  test('when a claim was edited, or said twice, after it was signed', async () => {
    const { token } = await tokens.issue({ userId, sessionId, tenantId, roles: ['viewer'] });
    const [header = '', payload = '', signature = ''] = token.split('.');
    const text = Buffer.from(payload, 'base64url').toString();
    const edits = [
      text.replace(toWire('tenant', tenantId), toWire('tenant', newId())),
      text.replace(toWire('user', userId), toWire('user', newId())),
      text.replace('viewer', 'owner'),
      text.replace(/"exp":\d+/, '"exp":9999999999'),
      text.replace('{', `{"sub":"${toWire('user', newId())}",`),
      text.replace(/}$/, `,"roles":["owner"]}`),
      `${text} `,
    ];
    for (const edited of edits) {
      expect(edited).not.toBe(text);
      expect(await tokens.verify(`${header}.${encode(edited)}.${signature}`)).toEqual(refused);
    }
  });

  test('with a header that says things twice', async () => {
    const texts = [
      `{"alg":"EdDSA","typ":"at+jwt","kid":"first","alg":"none"}`,
      `{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"first"}`,
    ];
    for (const text of texts) expect(await tokens.verify(forge(text, goodClaims()))).toEqual(refused);
  });

  test('signed by another key under our key’s name', async () => {
    expect(await tokens.verify(forge(goodHeader(), goodClaims(), stranger.privateKey))).toEqual(refused);
  });

  test('encrypted, though it is encrypted well', async () => {
    const token = await new CompactEncrypt(Buffer.from(JSON.stringify(goodClaims())))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'at+jwt', kid })
      .encrypt(new Uint8Array(32));
    expect(await tokens.verify(token)).toEqual(refused);
  });

  test('another service’s token, signed with a shared secret', async () => {
    const token = await new SignJWT({ tid: tenantId })
      .setProtectedHeader({ alg: 'HS256', typ: 'swarmgate-visitor+jwt', kid })
      .setIssuer(issuer)
      .setExpirationTime(new Date(now + 60_000))
      .sign(new Uint8Array(32));
    expect(await tokens.verify(token)).toEqual(refused);
  });

  test('in any other spelling of its bytes', async () => {
    const { token } = await tokens.issue({ userId, sessionId, roles: [] });
    const [header = '', payload = '', signature = ''] = token.split('.');
    // The last letter of 64 bytes holds two bits; decoders take sixteen letters for one.
    const lastLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = [];
    for (const letter of lastLetters) {
      const checked = await tokens.verify(`${header}.${payload}.${signature.slice(0, -1)}${letter}`);
      if (checked.ok) accepted.push(letter);
    }
    expect(accepted).toEqual([signature.at(-1)]);
    const spellings = [
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token}\n`,
      `${token}.`,
      `.${token}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}!.${signature}`,
      token.replace('.', '%2E'),
      token.replaceAll('-', '+').replaceAll('_', '/'),
    ].filter((spelling) => spelling !== token);
    for (const spelling of spellings) expect(await tokens.verify(spelling)).toEqual(refused);
  });

  test('a megabyte, without a look at it', async () => {
    askedFor.length = 0;
    const big = forge(goodHeader(), { ...goodClaims(), roles: ['x'.repeat(1_000_000)] });
    const startedAt = performance.now();
    expect(await tokens.verify(big)).toEqual({ ok: false, reason: 'malformed' });
    expect(performance.now() - startedAt).toBeLessThan(50);
    expect(askedFor).toEqual([]);
  });

  test('whatever else there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc
            .tuple(fc.json(), fc.json(), fc.string())
            .map(([header, claims, rest]) => [encode(header), encode(claims), encode(rest)].join('.')),
        ),
        async (text) => {
          expect(await tokens.verify(text)).toEqual(refused);
        },
      ),
      { numRuns: 500 },
    );
  });
});
