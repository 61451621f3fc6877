import { expect, test } from 'vitest';
import { readRetryAfterMs, retryDelayMs } from './retry-schedule.ts';

const hour = 3_600_000;

test('ten attempts in some three days, and none after them', () => {
  const delays = Array.from({ length: 12 }, (_, index) => retryDelayMs(index + 1, undefined, () => 0.5));
  expect(delays).toEqual([
    ...[5_000, 300_000, 1_800_000],
    ...[2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
    ...[undefined, undefined, undefined],
  ]);
});

test('a delay is a tenth shorter or longer', () => {
  expect(retryDelayMs(1, undefined, () => 0)).toBe(4_500);
  expect(retryDelayMs(1, undefined, () => 0.999_999)).toBe(5_500);
});

test('a receiver may ask for more time, and not for less, nor for more attempts', () => {
  expect(retryDelayMs(1, 60_000)).toBe(60_000);
  expect(retryDelayMs(4, 1_000)).toBeGreaterThan(hour);
  expect(retryDelayMs(10, 60_000)).toBeUndefined();
});

test.each([
  [null, undefined],
  ['', undefined],
  ['soon', undefined],
  ['0', 0],
  ['120', 120_000],
  [' 120 ', 120_000],
  ['99999999999', 24 * hour],
  ['999999', 24 * hour],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
])('Retry-After %j', (header, waitMs) => {
  expect(readRetryAfterMs(header, Date.parse('2026-01-01T00:00:00Z'))).toBe(waitMs);
});
