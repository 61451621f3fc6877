import { describe, expect, test, vi } from 'vitest';
import { createExpiringCache } from './expiring-cache.ts';

function aCache({ ttlMs = 100, sizeMax = 10 } = {}) {
  const clock = { now: 0 };
  const cache = createExpiringCache<string>(ttlMs, sizeMax, () => clock.now);
  const load = vi.fn(async () => 'value');
  return { clock, cache, load };
}

test('asks once for what it knows', async () => {
  const { cache, load } = aCache();
  expect(await cache('a', load)).toBe('value');
  expect(await cache('a', load)).toBe('value');
  expect(load).toHaveBeenCalledTimes(1);
});

test('asks once for many who ask at the same time', async () => {
  const { cache, load } = aCache();
  expect(await Promise.all([cache('a', load), cache('a', load), cache('a', load)])).toEqual(
    Array(3).fill('value'),
  );
  expect(load).toHaveBeenCalledTimes(1);
});

test('asks again when the time is over', async () => {
  const { clock, cache, load } = aCache({ ttlMs: 100 });
  await cache('a', load);
  clock.now = 99;
  await cache('a', load);
  expect(load).toHaveBeenCalledTimes(1);
  clock.now = 100;
  await cache('a', load);
  expect(load).toHaveBeenCalledTimes(2);
});

test('keeps keys apart', async () => {
  const { cache } = aCache();
  expect(await cache('a', async () => 'of a')).toBe('of a');
  expect(await cache('b', async () => 'of b')).toBe('of b');
});

test('does not remember a failure', async () => {
  const { cache, load } = aCache();
  await expect(cache('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await cache('a', load)).toBe('value');
});

test('what is forgotten is asked for anew, also while an answer is on its way', async () => {
  const { cache, load } = aCache();
  const slow = Promise.withResolvers<string>();
  const before = cache('a', () => slow.promise);
  cache.forget('a');
  expect(await cache('a', load)).toBe('value');
  slow.resolve('stale');
  expect(await before).toBe('stale');
  expect(await cache('a', load)).toBe('value');
  expect(load).toHaveBeenCalledTimes(1);
});

describe('when it is full', () => {
  test('forgets the oldest, and never holds more', async () => {
    const { cache, load } = aCache({ sizeMax: 2 });
    for (const key of ['a', 'b', 'c']) await cache(key, load);
    expect(load).toHaveBeenCalledTimes(3);
    await cache('c', load);
    await cache('b', load);
    expect(load).toHaveBeenCalledTimes(3);
    await cache('a', load);
    expect(load).toHaveBeenCalledTimes(4);
  });

  test('a late failure of something forgotten removes nobody else', async () => {
    const { clock, cache, load } = aCache();
    const first = Promise.withResolvers<string>();
    const lost = cache('a', () => first.promise);
    clock.now = 1_000;
    await cache('a', load);
    first.reject(new Error('late'));
    await expect(lost).rejects.toThrow('late');
    await cache('a', load);
    expect(load).toHaveBeenCalledTimes(1);
  });
});
