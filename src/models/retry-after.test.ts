import { expect, test } from 'vitest';
import { readRetryAfterMs } from './retry-after.ts';

const nowMs = Date.parse('Mon, 23 Nov 2026 12:00:00 GMT');

test.each([
  ['seconds', { 'retry-after': '20' }, 20_000],
  ['fractions of a second', { 'retry-after': '0.25' }, 250],
  ['a date', { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
  ['a date that is over', { 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
  ['milliseconds before seconds', { 'retry-after-ms': '1200', 'retry-after': '20' }, 1_200],
  ['seconds when the milliseconds make no sense', { 'retry-after-ms': 'soon', 'retry-after': '20' }, 20_000],
  ['at most an hour', { 'retry-after': '864000' }, 3_600_000],
  ['nothing', {}, undefined],
  ['nonsense', { 'retry-after': 'later' }, undefined],
])('reads %s', (_, headers, waitMs) => {
  expect(readRetryAfterMs(headers, nowMs)).toBe(waitMs);
});
