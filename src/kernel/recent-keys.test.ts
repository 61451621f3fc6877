import { expect, test } from 'vitest';
import { createRecentKeys } from './recent-keys.ts';

test('a key is known for its time only, and the oldest is forgotten where there are too many', () => {
  let nowMs = 0;
  const recent = createRecentKeys(100, 2, () => nowMs);
  recent.note('a');
  expect(recent.has('a')).toBe(true);
  expect(recent.has('b')).toBe(false);
  nowMs = 100;
  expect(recent.has('a')).toBe(false);
  for (const key of ['a', 'b', 'c']) recent.note(key);
  expect(['a', 'b', 'c'].map(recent.has)).toEqual([false, true, true]);
  recent.forget('c');
  expect(recent.has('c')).toBe(false);
});
