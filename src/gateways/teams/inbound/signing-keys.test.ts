import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { createSigningKeys } from './signing-keys.ts';

const metadataUrl = 'https://login.example/v1/.well-known/openidconfiguration';
const keysUrl = 'https://login.example/v1/.well-known/keys';
const issuer = 'https://api.botframework.com';
const place = { metadataUrl, issuer };
let jwk: object;

beforeAll(async () => {
  jwk = await exportJWK(generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey);
});

/** Metadata and keys that change as a test says, and how often they were asked for. */
function aPublisher(given: { metadata?: object | string; keys?: object[] } = {}) {
  const state = {
    metadata: given.metadata ?? { issuer, jwks_uri: keysUrl },
    keys: given.keys ?? [{ ...jwk, kid: 'k1', endorsements: ['msteams', 'webchat'] }],
    asked: 0,
    isAway: false,
    nowMs: 1_000_000,
  };
  const fetch = async (url: string | URL | Request) => {
    state.asked += 1;
    if (state.isAway) throw new TypeError('away');
    const document = String(url) === metadataUrl ? state.metadata : { keys: state.keys };
    return new Response(typeof document === 'string' ? document : JSON.stringify(document));
  };
  return {
    state,
    keys: createSigningKeys({ fetch: fetch as typeof globalThis.fetch, nowMs: () => state.nowMs }),
  };
}

describe('a key', () => {
  test('is found with what it may speak for, and looked up once for a day and for all who ask at once', async () => {
    const { state, keys } = aPublisher();
    const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(place, 'k1')));
    expect(found[0]?.endorsements).toEqual(new Set(['msteams', 'webchat']));
    state.nowMs += 23 * 60 * 60_000;
    await keys.find(place, 'k1');
    expect(state.asked).toBe(2);
    state.nowMs += 2 * 60 * 60_000;
    await keys.find(place, 'k1');
    expect(state.asked).toBe(4);
  });

  test('that is new is looked for at once; one that was withdrawn is gone with that look', async () => {
    const { state, keys } = aPublisher();
    await keys.find(place, 'k1');
    state.keys = [{ ...jwk, kid: 'k2', endorsements: ['msteams'] }];
    state.nowMs += 10_000;
    expect(await keys.find(place, 'k2')).toBeDefined();
    expect(await keys.find(place, 'k1')).toBeUndefined();
  });

  test('that somebody has invented costs a look each five seconds, however often it is asked for', async () => {
    const { state, keys } = aPublisher();
    await keys.find(place, 'k1');
    state.nowMs += 10_000;
    for (let times = 0; times < 100; times += 1)
      expect(await keys.find(place, `invented-${times}`)).toBeUndefined();
    expect(state.asked).toBe(4);
    state.nowMs += 5_000;
    await keys.find(place, 'invented');
    expect(state.asked).toBe(6);
  });

  test('goes on counting while Microsoft is away, for five days', async () => {
    const { state, keys } = aPublisher();
    await keys.find(place, 'k1');
    state.isAway = true;
    state.nowMs += 4 * 24 * 60 * 60_000;
    expect(await keys.find(place, 'k1')).toBeDefined();
    state.nowMs += 2 * 24 * 60 * 60_000;
    await expect(keys.find(place, 'k1')).rejects.toMatchObject({
      code: 'signing_keys_unavailable',
      retry: 'later',
    });
    // Nor for those who come right after.
    await expect(keys.find(place, 'k1')).rejects.toMatchObject({ code: 'signing_keys_unavailable' });
  });

  test('that nobody could be asked for is an error that passes, not a refusal', async () => {
    const { state, keys } = aPublisher();
    state.isAway = true;
    await expect(keys.find(place, 'k1')).rejects.toMatchObject({ retry: 'later' });
    const { asked } = state;
    await expect(keys.find(place, 'k1')).rejects.toMatchObject({ retry: 'later' });
    expect(state.asked).toBe(asked);
    state.isAway = false;
    state.nowMs += 5_000;
    expect(await keys.find(place, 'k1')).toBeDefined();
  });
});

test.each<[string, object | string]>([
  ['another issuer’s', { issuer: 'https://api.botframework.us', jwks_uri: keysUrl }],
  ['without keys', { issuer }],
  ['with keys that come without TLS', { issuer, jwks_uri: 'http://login.example/keys' }],
  ['with an address that is none', { issuer, jwks_uri: 'file:///etc/passwd' }],
  ['no JSON', '<html>'],
  ['very long', `{"issuer":"${'x'.repeat(1_100_000)}"}`],
])('metadata that is %s is not used', async (_what, metadata) => {
  const { keys } = aPublisher({ metadata });
  await expect(keys.find(place, 'k1')).rejects.toMatchObject({ code: 'signing_keys_unavailable' });
});

test('a key that is none does not hide the others', async () => {
  const good = { ...jwk, kid: 'good', endorsements: ['msteams'] };
  const bad = [{ kty: 'oct', k: 'AAAA', kid: 'secret' }, { ...jwk, n: 7, kid: 'broken' }, { ...jwk }];
  const { keys } = aPublisher({ keys: [...bad, good] });
  expect(await keys.find(place, 'good')).toBeDefined();
  for (const kid of ['secret', 'broken']) expect(await keys.find(place, kid)).toBeUndefined();
});
