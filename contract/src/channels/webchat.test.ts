import { describe, expect, test } from 'vitest';
import { webChatChannel } from './webchat.ts';

const accepts = (more: object) =>
  webChatChannel.safeParse({ slug: 'site', platform: 'webchat', origins: ['https://acme.example'], ...more })
    .success;

describe('an origin', () => {
  test.each([
    'https://acme.example',
    'http://localhost',
    'http://localhost:*',
    'https://*.acme.example',
    'https://*.acme.example:8443',
    'https://127.0.0.1:3000',
  ])('may be %s', (origin) => {
    expect(accepts({ origins: [origin] })).toBe(true);
  });

  test.each([
    '*',
    'https://*',
    'acme.example',
    'https://acme.example/',
    'https://acme.example/path',
    'https://user@acme.example',
    'https://a*.acme.example',
    'https://acme.*',
    'file://acme.example',
    'null',
    '',
    'https://acme.example\n',
  ])('is not %j', (origin) => {
    expect(accepts({ origins: [origin] })).toBe(false);
  });

  test('is named at least once', () => {
    expect(accepts({ origins: [] })).toBe(false);
  });
});

describe('an identity', () => {
  const secret = 's'.repeat(32);

  test.each([
    { secret },
    { secret, required: true },
    { jwksUrl: 'https://acme.example/jwks.json' },
    { jwksUrl: 'https://idp.example/jwks', issuer: 'https://idp.example', audience: 'chat' },
  ])('may be %j', (identity) => {
    expect(accepts({ identity })).toBe(true);
  });

  test.each([
    {},
    { required: true },
    { secret: 's'.repeat(31) },
    { secret, jwksUrl: 'https://acme.example/jwks.json' },
    { jwksUrl: 'file:///etc/passwd' },
    { jwksUrl: 'acme.example' },
    { secret, audience: '' },
  ])('is not %j', (identity) => {
    expect(accepts({ identity })).toBe(false);
  });
});

test.each(['wk_abc', 'wk_demo', 'wk_A-Z_9'])('a key may be %s', (key) => {
  expect(accepts({ key })).toBe(true);
});
test.each(['', 'wk_', 'wk_ab', 'abc', 'wk_a/b', 'wk_a b', `wk_${'x'.repeat(81)}`])(
  'a key is not %j',
  (key) => {
    expect(accepts({ key })).toBe(false);
  },
);
