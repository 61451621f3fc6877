import { expect, test } from 'vitest';
import { readClaim, textsOf } from './read-claim.ts';

const claims = {
  groups: ['a', 7, 'b'],
  'https://acme.example/role': 'admin',
  realm_access: { roles: ['staff'], 'a/b~c': 'deep' },
};

test.each<[string, unknown]>([
  ['groups', ['a', 7, 'b']],
  ['https://acme.example/role', 'admin'],
  ['/realm_access/roles', ['staff']],
  ['/realm_access/a~1b~0c', 'deep'],
  ['/groups/0', 'a'],
  ['realm_access.roles', undefined],
  ['/realm_access/none/deeper', undefined],
  ['constructor', undefined],
  ['/realm_access/__proto__', undefined],
  ['/', undefined],
])('the claim %s is found where it is, and nothing else', (name, value) => {
  expect(readClaim(claims, name)).toEqual(value);
});

test('the texts of a claim are its own, whether it has one or more', () => {
  expect(textsOf(claims.groups)).toEqual(['a', 'b']);
  expect(textsOf('admin')).toEqual(['admin']);
  expect([undefined, 7, { a: 'b' }, null].flatMap(textsOf)).toEqual([]);
});
