import { expect, test } from 'vitest';
import { isWithin, readDomainName } from './domain-names.ts';

test.each([
  ['chat.customer.example', 'chat.customer.example'],
  [' Chat.Customer.Example. ', 'chat.customer.example'],
  ['grüße.example', 'xn--gre-6ka8l.example'],
  ['xn--gre-6ka8i.example', 'xn--gre-6ka8i.example'],
  ['a-b.co', 'a-b.co'],
])('%j is a domain name', (text, name) => {
  expect(readDomainName(text)).toBe(name);
});

test.each([
  '',
  'localhost',
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '[::1]',
  'chat customer.example',
  'chat.example:8080',
  'https://chat.example',
  'chat.example/path',
  'user@chat.example',
  '-chat.example',
  'chat-.example',
  'chat..example',
  '*.chat.example',
  '_swarmgate.chat.example',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(130)}example`,
  'chat.example\u0000',
])('%j is none', (text) => {
  expect(readDomainName(text)).toBeUndefined();
});

test('what lies below a domain is within it, and what only ends like it is not', () => {
  expect(
    ['example.com', 'a.example.com', 'a.b.example.com'].every((host) => isWithin(host, 'example.com')),
  ).toBe(true);
  expect(['anexample.com', 'com', 'example.com.evil.org'].some((host) => isWithin(host, 'example.com'))).toBe(
    false,
  );
});
