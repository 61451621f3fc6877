import { expect, test } from 'vitest';
import { countSegments } from './segments.ts';

test.each([
  ['', 'GSM-7', 1],
  ['a'.repeat(160), 'GSM-7', 1],
  ['a'.repeat(161), 'GSM-7', 2],
  ['a'.repeat(306), 'GSM-7', 2],
  ['a'.repeat(307), 'GSM-7', 3],
  ['€'.repeat(80), 'GSM-7', 1],
  ['€'.repeat(81), 'GSM-7', 2],
  ['ж'.repeat(70), 'UCS-2', 1],
  ['ж'.repeat(71), 'UCS-2', 2],
  ['😀'.repeat(35), 'UCS-2', 1],
  ['it’s', 'UCS-2', 1],
] as const)('%j is %s in %i segments', (text, encoding, count) => {
  expect(countSegments(text)).toEqual({ encoding, count });
});

test('no character is split between two segments', () => {
  // 33 emoji are 66 of 67 units, so the 34th begins the next segment and 67 of them need a third.
  expect(countSegments('😀'.repeat(66)).count).toBe(2);
  expect(countSegments('😀'.repeat(67)).count).toBe(3);
  // 76 euro signs are 152 of 153 septets.
  expect(countSegments('€'.repeat(152)).count).toBe(2);
  expect(countSegments('€'.repeat(153)).count).toBe(3);
});
