import { describe, expect, test } from 'vitest';
import { createRateLimit } from './rate-limiter.ts';

describe('in memory', () => {
  test('allows exactly the limit, however many ask at once', async () => {
    const limit = createRateLimit();
    const results = await Promise.all(Array.from({ length: 500 }, () => limit('visitor', 30)));
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(30);
  });

  test('says when to come again, within the window of a minute', async () => {
    const limit = createRateLimit();
    await limit('visitor', 1);
    const refused = await limit('visitor', 1);
    expect(refused).toEqual({ allowed: false, retryAfterMs: expect.any(Number) });
    if (refused.allowed) return;
    expect(refused.retryAfterMs).toBeGreaterThan(50_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('counts each key for itself', async () => {
    const limit = createRateLimit();
    await limit('a', 1);
    expect(await limit('b', 1)).toEqual({ allowed: true, remaining: 0, resetMs: expect.any(Number) });
    expect(await limit('a', 1)).toMatchObject({ allowed: false });
  });
});
