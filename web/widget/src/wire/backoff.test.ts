import { afterEach, describe, expect, test, vi } from 'vitest';
import { backoffMs } from './backoff.ts';
import { GatewayError, isTemporary } from './gateway-error.ts';

afterEach(() => vi.restoreAllMocks());

describe('the pause after a failure', () => {
  test('doubles with each failure in a row, up to half a minute', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    expect([1, 2, 3, 4, 7, 20, 1_000].map((failures) => backoffMs(failures))).toEqual([
      500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000,
    ]);
  });

  test('is half by chance, so that not all come back at once', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(backoffMs(3)).toBe(1_000);
  });

  test('is never shorter than what the gateway asks for', () => {
    for (let at = 0; at < 50; at += 1) {
      expect(backoffMs(1, new GatewayError(429, 'Too many messages.', 7_000))).toBeGreaterThanOrEqual(7_000);
    }
  });
});

test('only refusals that time does not heal are final', () => {
  const final = [0, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503].filter(
    (status) => !isTemporary(new GatewayError(status, 'no')),
  );
  expect(final).toEqual([400, 401, 403, 404, 409, 413, 422]);
  expect(isTemporary(new TypeError('network'))).toBe(true);
});
