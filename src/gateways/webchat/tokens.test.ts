import { createHmac, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createKeyRing, type KeyRing } from '#kernel/key-ring.ts';
import { createVisitorTokens, type Visitor } from './tokens.ts';

const oldKey = { id: 'old', bytes: randomBytes(32) };
const newKey = { id: 'new', bytes: randomBytes(32) };
const keyRing = createKeyRing([newKey, oldKey]);
const tokens = createVisitorTokens(keyRing);
const visitor: Visitor = {
  tenantId: newId(),
  channelId: newId(),
  conversationId: newId(),
  externalId: 'visitor:1',
  verified: false,
  profile: { name: 'Ann' },
};

const invalid = { ok: false, reason: 'invalid' };
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const keyOf = (ring: KeyRing, id: string) => ring.derive('web-chat-token', id) ?? new Uint8Array();

/** A token with parts of one's own choice, signed as ours would be. */
function forge(header: object, claims: object, key: Uint8Array = keyOf(keyRing, 'new')): string {
  const signed = `${base64url({ alg: 'HS256', typ: 'swarmgate-session+jwt', kid: 'new', ...header })}.${base64url(
    {
      iss: 'swarmgate',
      sub: visitor.externalId,
      exp: Math.floor(Date.now() / 1_000) + 60,
      tid: visitor.tenantId,
      chn: visitor.channelId,
      cnv: visitor.conversationId,
      ...claims,
    },
  )}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

afterEach(() => void vi.useRealTimers());

describe('a token', () => {
  test('names its visitor', async () => {
    const { token } = await tokens.sign('session', visitor);
    expect(await tokens.check('session', token)).toEqual({ ok: true, visitor });
  });

  test('holds for an hour as a session, for a year as a visitor', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = await tokens.sign('session', visitor);
    const returning = await tokens.sign('visitor', visitor);
    expect(session.expiresAt.getTime() - Date.now()).toBe(60 * 60_000);
    vi.setSystemTime(Date.now() + 59 * 60_000);
    expect(await tokens.check('session', session.token)).toMatchObject({ ok: true });
    vi.setSystemTime(Date.now() + 2 * 60_000);
    expect(await tokens.check('session', session.token)).toEqual({ ok: false, reason: 'expired' });
    expect(await tokens.check('visitor', returning.token)).toMatchObject({ ok: true });
    vi.setSystemTime(Date.now() + 365 * 24 * 60 * 60_000);
    expect(await tokens.check('visitor', returning.token)).toEqual({ ok: false, reason: 'expired' });
  });

  test('of one kind is none of the other', async () => {
    const { token } = await tokens.sign('session', visitor);
    const returning = await tokens.sign('visitor', visitor);
    expect(await tokens.check('visitor', token)).toEqual(invalid);
    expect(await tokens.check('session', returning.token)).toEqual(invalid);
  });

  test('of an older key of the ring holds, and of a key that has left it does not', async () => {
    const { token } = await createVisitorTokens(createKeyRing([oldKey])).sign('session', visitor);
    expect(await tokens.check('session', token)).toMatchObject({ ok: true });
    const without = createVisitorTokens(createKeyRing([newKey]));
    expect(await without.check('session', token)).toEqual(invalid);
  });

  test('of another installation is nothing here, also when its key has the same name', async () => {
    const other = createVisitorTokens(createKeyRing([{ id: 'new', bytes: randomBytes(32) }]));
    const { token } = await other.sign('session', visitor);
    expect(await tokens.check('session', token)).toEqual(invalid);
  });

  test('is nothing any more once one character of it was changed', async () => {
    const { token } = await tokens.sign('session', visitor);
    for (let index = 0; index < token.length; index += 7) {
      const changed = `${token.slice(0, index)}${token[index] === 'x' ? 'y' : 'x'}${token.slice(index + 1)}`;
      expect(await tokens.check('session', changed)).toEqual(invalid);
    }
  });
});

describe('is not a token', () => {
  test('although the forger’s tool works: a token with nothing changed is one', async () => {
    expect(await tokens.check('session', forge({}, {}))).toMatchObject({ ok: true });
  });

  test.each<[string, () => string]>([
    ['nothing', () => ''],
    ['text', () => 'hello'],
    ['dots', () => '..'],
    ['an unsigned one', () => `${forge({ alg: 'none' }, {}).split('.').slice(0, 2).join('.')}.`],
    ['one that says it is unsigned', () => forge({ alg: 'none' }, {})],
    ['another algorithm', () => forge({ alg: 'HS512' }, {})],
    ['an asymmetric algorithm over our key', () => forge({ alg: 'RS256' }, {})],
    ['no type', () => forge({ typ: 'JWT' }, {})],
    ['no key', () => forge({ kid: undefined }, {})],
    ['an unknown key', () => forge({ kid: 'none' }, {})],
    ['a key by path', () => forge({ kid: '../../../dev/null' }, {}, new Uint8Array())],
    [
      'a key of its own',
      () => forge({ jwk: { kty: 'oct', k: 'AAAA' } }, {}, Buffer.from('AAAA', 'base64url')),
    ],
    ['an empty key', () => forge({}, {}, new Uint8Array())],
    ['the key of another purpose', () => forge({}, {}, keyRing.derive('seal', 'new') ?? new Uint8Array())],
    ['a critical extension', () => forge({ crit: ['b64'], b64: false }, {})],
    ['another issuer', () => forge({}, { iss: 'somebody' })],
    ['no subject', () => forge({}, { sub: undefined })],
    ['no tenant', () => forge({}, { tid: undefined })],
    ['a tenant that is no UUID', () => forge({}, { tid: `${visitor.tenantId}'` })],
    ['a list of channels', () => forge({}, { chn: [visitor.channelId] })],
    ['no end', () => forge({}, { exp: undefined })],
    ['an end that is text', () => forge({}, { exp: '9999999999' })],
    ['not yet', () => forge({}, { nbf: Math.floor(Date.now() / 1_000) + 600 })],
  ])('%s', async (_, make) => {
    expect(await tokens.check('session', make())).toEqual(invalid);
  });

  test('one that a library made over a key of its choice', async () => {
    const token = await new SignJWT({
      tid: visitor.tenantId,
      chn: visitor.channelId,
      cnv: visitor.conversationId,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'swarmgate-session+jwt', kid: 'new' })
      .setIssuer('swarmgate')
      .setSubject('visitor:1')
      .setExpirationTime('1h')
      .sign(randomBytes(32));
    expect(await tokens.check('session', token)).toEqual(invalid);
  });
});

test('only what says that it was verified, was', async () => {
  for (const ver of [undefined, false, 1, 'true']) {
    const check = await tokens.check('session', forge({}, { ver }));
    expect(check).toMatchObject({ ok: true, visitor: { verified: false } });
  }
  expect(await tokens.check('session', forge({}, { ver: true }))).toMatchObject({
    visitor: { verified: true },
  });
});
