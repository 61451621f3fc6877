import { expect, test } from 'vitest';
import { ProblemError, tooManyRequests } from './problem.ts';

test.each([
  [0, '1'],
  [1, '1'],
  [1_000, '1'],
  [1_001, '2'],
  [59_999.5, '60'],
])('after %d ms more a request may come again: Retry-After %s', (retryAfterMs, header) => {
  const problem = tooManyRequests(retryAfterMs, 'Too many messages.');
  expect(problem.status).toBe(429);
  expect(problem.headers).toEqual({ 'Retry-After': header, RateLimit: `"default";r=0;t=${header}` });
  expect(problem.message).toBe(`Too many messages. Try again in ${header} s.`);
});

test.each([
  [400, 'never'],
  [404, 'never'],
  [429, 'later'],
  [503, 'later'],
])('whether %d may pass by itself: %s', (status, retry) => {
  expect(new ProblemError(status, 'code', 'Title', 'Detail.').retry).toBe(retry);
});
