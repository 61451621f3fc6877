import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkOf } from './network-of.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::ffff:1', '2001:db8:0:0::/64'],
  ['2001:DB8:0:0:0:0:0:2', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
  ['unknown', 'unknown'],
])('%s counts for %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('whoever has a /64 counts as one', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((part) => part.toString(16));
  fc.assert(
    fc.property(
      fc.tuple(group, group, group, group),
      fc.array(fc.tuple(group, group, group, group)),
      (front, backs) => {
        const networks = backs.map((back) => networkOf([...front, ...back].join(':')));
        expect(new Set(networks).size).toBeLessThanOrEqual(1);
      },
    ),
  );
});
