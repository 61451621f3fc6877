import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAllowedOrigin } from './origins.ts';

describe('allowed is', () => {
  test.each([
    ['https://acme.example', 'https://acme.example'],
    ['https://acme.example', 'https://ACME.example'],
    ['https://acme.example', 'https://acme.example:443'],
    ['http://acme.example', 'http://acme.example:80'],
    ['https://acme.example:8443', 'https://acme.example:8443'],
    ['https://shop.acme.example', 'https://*.acme.example'],
    ['https://a.b.acme.example', 'https://*.acme.example'],
    ['http://localhost:5173', 'http://localhost:*'],
    ['http://localhost', 'http://localhost:*'],
    ['https://a.acme.example:444', 'https://*.acme.example:*'],
  ])('%s by %s', (origin, pattern) => {
    expect(isAllowedOrigin(origin, ['https://other.example', pattern])).toBe(true);
  });
});

describe('not allowed is', () => {
  test.each([
    ['http://acme.example', 'https://acme.example'],
    ['https://acme.example:8443', 'https://acme.example'],
    ['https://acme.example', 'https://acme.example:8443'],
    ['https://acme.example', 'https://*.acme.example'],
    ['https://evilacme.example', 'https://*.acme.example'],
    ['https://acme.example.evil.example', 'https://*.acme.example'],
    ['https://acme.example.evil.example', 'https://acme.example'],
    ['https://acme.example.', 'https://acme.example'],
    ['https://shop.acme.example', 'https://acme.example'],
    ['http://localhost.evil.example:80', 'http://localhost:*'],
    ['https://acmeXexample', 'https://acme.example'],
    ['https://acme.example/', 'https://acme.example'],
    ['https://acme.example/path', 'https://acme.example'],
    ['https://user@acme.example', 'https://acme.example'],
    ['https://ACME.example', 'https://acme.example'],
    ['https://acme.example ', 'https://acme.example'],
    ['https://acme.example, https://evil.example', 'https://acme.example'],
    ['null', 'https://acme.example'],
    ['', 'https://acme.example'],
    ['file://', 'https://acme.example'],
    ['chrome-extension://acme.example', 'https://acme.example'],
  ])('%j by %s', (origin, pattern) => {
    expect(isAllowedOrigin(origin, [pattern])).toBe(false);
  });

  test('a request that names none', () => {
    expect(isAllowedOrigin(undefined, ['https://acme.example'])).toBe(false);
  });

  test('anything, when nothing is allowed', () => {
    expect(isAllowedOrigin('https://acme.example', [])).toBe(false);
  });
});

test('a host that is not under the allowed domain never is', () => {
  fc.assert(
    fc.property(fc.webAuthority({ withPort: true }), (authority) => {
      const url = `https://${authority}`;
      fc.pre(URL.canParse(url));
      const { origin, hostname } = new URL(url);
      const patterns = ['https://*.acme.example:*', 'https://acme.example:*', 'http://*.acme.example:*'];
      const isOurs = hostname === 'acme.example' || hostname.endsWith('.acme.example');
      expect(isAllowedOrigin(origin, patterns)).toBe(isOurs);
    }),
  );
});
