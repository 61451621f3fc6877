import { describe, expect, test } from 'vitest';
import { createPacer } from './pacer.ts';

const never = new AbortController().signal;

/** How long each of several calls at once waits, by a clock that stands still. */
async function waits(
  calls: readonly { key?: string; cost?: number; burst?: number }[],
  intervalMs = 1_000,
): Promise<number[]> {
  let waited = 0;
  const pacer = createPacer(
    () => 0,
    async (waitMs) => {
      waited = waitMs;
    },
  );
  const told: number[] = [];
  for (const { key = 'a', cost, burst } of calls) {
    waited = 0;
    await pacer.take(key, intervalMs, never, cost, burst);
    told.push(waited);
  }
  return told;
}

describe('take', () => {
  test('the first call goes at once, the next one waits', async () => {
    expect(await waits([{}, {}, {}])).toEqual([0, 1_000, 2_000]);
  });

  test('a burst goes at once after a silence', async () => {
    expect(await waits([{ burst: 3 }, { burst: 3 }, { burst: 3 }, { burst: 3 }])).toEqual([0, 0, 0, 1_000]);
  });

  test('keys do not wait for each other', async () => {
    expect(await waits([{ key: 'a' }, { key: 'b' }])).toEqual([0, 0]);
  });

  test('what costs more keeps the next one waiting for longer', async () => {
    const pacer = createPacer(() => 0);
    await pacer.take('a', 1_000, never, 20);
    await expect(pacer.take('a', 1_000, never)).rejects.toMatchObject({
      code: 'gateway_not_now',
      retryAfterMs: 20_000,
    });
  });

  test('what would wait too long is put off and takes no place', async () => {
    const pacer = createPacer(() => 0);
    await pacer.take('a', 9_000, never);
    const late = { code: 'gateway_not_now', retryAfterMs: 9_000 };
    await expect(pacer.take('a', 9_000, never)).rejects.toMatchObject(late);
    await expect(pacer.take('a', 9_000, never)).rejects.toMatchObject(late);
  });

  test('a wait ends with its signal', async () => {
    const pacer = createPacer();
    await pacer.take('a', 5_000, never);
    await expect(pacer.take('a', 5_000, AbortSignal.timeout(20))).rejects.toMatchObject({
      code: 'gateway_not_now',
    });
  });
});
