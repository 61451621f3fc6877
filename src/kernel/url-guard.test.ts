import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { checkTenantUrl, ForbiddenUrlError, type LookupAll, publicOnlyLookup } from './url-guard.ts';

/** Literal addresses that lead inside, in every spelling that a URL parser understands. */
const attacks = [
  'http://127.0.0.1/',
  'http://127.8.9.10/',
  'http://2130706433/', // 127.0.0.1 in decimal
  'http://0x7f.1/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://0/',
  'http://0.0.0.0:8080/',
  'http://①②⑦.0.0.1/',
  'http://127。0。0。1/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/', // carrier-grade NAT
  'http://169.254.169.254/latest/meta-data/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/', // NAT64
  'http://[2002:7f00:1::]/', // 6to4
  'http://[2001:0:7f00:1::]/', // Teredo
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/', // metadata over IPv6
  'http://[fe80::1]/',
  'http://[ff02::1]/',
  'http://user:pass@example.com/',
  'http://example.com@127.0.0.1/',
  'file:///etc/passwd',
  'ftp://example.com/',
  'gopher://example.com/',
  'data:text/plain,hello',
  'not a url',
];

test.each(attacks)('%s is refused', (address) => {
  expect(() => checkTenantUrl(address)).toThrow(ForbiddenUrlError);
});

test.each(['https://api.example.com/v1', 'http://8.8.8.8/', 'https://[2606:4700:4700::1111]:8443/'])(
  '%s passes',
  (address) => {
    expect(checkTenantUrl(address).href).toContain(new URL(address).host);
  },
);

test('the operator opens a host on one port or on all of them', () => {
  expect(checkTenantUrl('http://127.0.0.1:8080/v1', ['127.0.0.1:8080']).port).toBe('8080');
  expect(checkTenantUrl('http://127.0.0.1:9090/v1', ['127.0.0.1']).port).toBe('9090');
  expect(checkTenantUrl('http://127.0.0.1/v1', ['127.0.0.1:80']).port).toBe('');
  expect(() => checkTenantUrl('http://127.0.0.1:8081/v1', ['127.0.0.1:8080'])).toThrow(ForbiddenUrlError);
});

test('a refusal does not repeat the password of the address', () => {
  expect(() => checkTenantUrl('http://user:hunter2@example.com/')).toThrow(
    /^The address of example\.com holds/,
  );
});

test.each([
  ['one private address', ['10.0.0.5']],
  ['a private address among public ones', ['93.184.216.34', '127.0.0.1']],
  ['a public name that leads to metadata', ['fd00:ec2::254']],
  ['no address', []],
])('a name with %s is refused', async (_, addresses) => {
  await expect(resolve(answering(addresses))).rejects.toThrow(ForbiddenUrlError);
});

test('a name that answers with another address the second time is refused the second time', async () => {
  const answers = [['93.184.216.34'], ['127.0.0.1']];
  const lookup: LookupAll = (_, __, done) => done(null, toAddresses(answers.shift() ?? []));

  expect(await resolve(lookup)).toEqual(toAddresses(['93.184.216.34']));
  await expect(resolve(lookup)).rejects.toThrow(ForbiddenUrlError);
});

test('a failing look-up fails as it is', async () => {
  await expect(resolve((_, __, done) => done(new Error('ENOTFOUND'), []))).rejects.toThrow('ENOTFOUND');
});

function answering(addresses: readonly string[]): LookupAll {
  return (_, __, done) => done(null, toAddresses(addresses));
}

function toAddresses(addresses: readonly string[]): LookupAddress[] {
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

function resolve(lookup: LookupAll): Promise<unknown> {
  return new Promise((done, failed) => {
    publicOnlyLookup(lookup)('name.example', { all: true }, (error, addresses) =>
      error ? failed(error) : done(addresses),
    );
  });
}
