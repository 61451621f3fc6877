import { expect, test } from 'vitest';
import { createRefusals } from './stream-refusals.ts';

test('a refusal is remembered for ten minutes', () => {
  let now = 0;
  const refusals = createRefusals(() => now);
  refusals.remember('one');
  now = 10 * 60_000 - 1;
  expect([refusals.has('one'), refusals.has('another')]).toEqual([true, false]);
  now += 1;
  expect(refusals.has('one')).toBe(false);
});

test('only so many are remembered, the latest', () => {
  const refusals = createRefusals();
  for (let index = 0; index <= 10_000; index++) refusals.remember(`key ${index}`);
  expect([refusals.has('key 0'), refusals.has('key 1'), refusals.has('key 10000')]).toEqual([
    false,
    true,
    true,
  ]);
});
