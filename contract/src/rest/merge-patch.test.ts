import { expect, test } from 'vitest';
import { applyMergePatch } from './merge-patch.ts';

// RFC 7396, appendix A, as far as both sides have fields.
test.each<[object, object, object]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j changed by %j is %j', (target, patch, result) => {
  expect(applyMergePatch(target, patch as Record<string, unknown>)).toEqual(result);
});

test('names that objects inherit are names like others', () => {
  const patch = JSON.parse('{"__proto__": {"polluted": true}}');
  applyMergePatch({}, patch);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
