import { expect, test } from 'vitest';
import { isFromThisMachine } from './this-machine.ts';

const from = (remoteAddress: string | undefined, headers: Record<string, string>) =>
  isFromThisMachine({ socket: { remoteAddress }, headers });

test.each([
  ['127.0.0.1', 'localhost:3000'],
  ['127.0.0.1', '127.0.0.1:3000'],
  ['::1', '[::1]:3000'],
  ['::ffff:127.0.0.1', 'LOCALHOST'],
])('%s, calling us %s, is at this machine', (address, host) => {
  expect(from(address, { host })).toBe(true);
});

test.each([
  ['192.0.2.7', 'localhost:3000'],
  ['10.0.0.1', 'localhost:3000'],
  ['::ffff:192.0.2.7', 'localhost:3000'],
  [undefined, 'localhost:3000'],
  ['127.0.0.1', 'chat.example.com'],
  ['127.0.0.1', 'localhost.example.com:3000'],
  ['127.0.0.1', '127.0.0.1.nip.example:3000'],
  ['127.0.0.1', 'example.com@localhost:3000'],
  ['127.0.0.1', 'localhost:3000/example.com'],
  ['127.0.0.1', 'not a host'],
])('%s, calling us %s, is not', (address, host) => {
  expect(from(address, { host })).toBe(false);
});

test.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-anything', 'x-real-ip'])(
  'what comes with "%s" came by a proxy',
  (name) => {
    expect(from('127.0.0.1', { host: 'localhost:3000', [name]: '127.0.0.1' })).toBe(false);
  },
);

test('a request that calls us by no name is from nowhere', () => {
  expect(from('127.0.0.1', {})).toBe(false);
});
