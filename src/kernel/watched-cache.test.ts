import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWatchedCache } from './watched-cache.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A cache over values that the test may change behind its back. */
function aCache({ sizeMax = 10 } = {}) {
  const stored = new Map<string, string>();
  let isAway = false;
  const check = vi.fn(async (entries: readonly (readonly [string, string])[]) => {
    if (isAway) throw new Error('away');
    return entries.filter(([key, value]) => stored.get(key) === value).map(([key]) => key);
  });
  const load = vi.fn(async (key: string) => stored.get(key) ?? '');
  const cache = createWatchedCache<string>({ check, validMs: 900, sizeMax });
  return {
    ...{ stored, check, load, forget: cache.forget },
    ask: (key: string) => cache(key, () => load(key)),
    goAway: () => {
      isAway = true;
    },
  };
}

test('asks once for what does not change, and checks it all together', async () => {
  const { stored, check, load, ask } = aCache();
  for (const key of ['a', 'b']) stored.set(key, `of ${key}`);
  for (let passed = 0; passed < 3_000; passed += 100) {
    expect(await Promise.all([ask('a'), ask('b')])).toEqual(['of a', 'of b']);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(load).toHaveBeenCalledTimes(2);
  expect(check.mock.calls.map(([entries]) => entries.length)).toEqual(Array(check.mock.calls.length).fill(2));
});

test('shows a change within the time', async () => {
  const { stored, ask } = aCache();
  stored.set('a', 'old');
  await ask('a');
  stored.set('a', 'new');
  await vi.advanceTimersByTimeAsync(900);
  expect(await ask('a')).toBe('new');
});

test('grows old where it cannot be checked', async () => {
  const { stored, load, ask, goAway } = aCache();
  stored.set('a', 'old');
  await ask('a');
  goAway();
  stored.set('a', 'new');
  await vi.advanceTimersByTimeAsync(800);
  expect(await ask('a')).toBe('old');
  await vi.advanceTimersByTimeAsync(100);
  expect(await ask('a')).toBe('new');
  expect(load).toHaveBeenCalledTimes(2);
});

test('checks nothing any more when nobody asks', async () => {
  const { stored, check, ask } = aCache();
  stored.set('a', 'of a');
  await ask('a');
  await vi.advanceTimersByTimeAsync(60_000);
  const checks = check.mock.calls.length;
  expect(checks).toBeLessThan(30);
  expect(vi.getTimerCount()).toBe(0);
  expect(await ask('a')).toBe('of a');
  await vi.advanceTimersByTimeAsync(500);
  expect(check.mock.calls.length).toBe(checks + 1);
});

test('does not remember failures, and forgets on its word, also what is on its way', async () => {
  const { stored, load, ask, forget } = aCache();
  load.mockRejectedValueOnce(new Error('away'));
  await expect(ask('a')).rejects.toThrow('away');
  const slow = Promise.withResolvers<string>();
  load.mockReturnValueOnce(slow.promise);
  const first = ask('a');
  forget('a');
  stored.set('a', 'new');
  expect(await ask('a')).toBe('new');
  slow.resolve('old');
  expect(await first).toBe('old');
  expect(await ask('a')).toBe('new');
});

test('holds no more than it may', async () => {
  const { load, ask } = aCache({ sizeMax: 2 });
  for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await ask(key);
  expect(load.mock.calls.flat()).toEqual(['a', 'b', 'c', 'a']);
});
