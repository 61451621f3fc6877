import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Logger } from '#kernel/logger.ts';
import { startKeepAlive } from './keep-alive.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const quiet = { warn: () => {} } as unknown as Logger;

async function aWorker() {
  let isAway = false;
  const said: unknown[] = [];
  const call = async <Row>(_name: string, [, ms]: readonly unknown[]): Promise<Row[]> => {
    if (isAway) throw new Error('away');
    said.push(ms);
    return [];
  };
  const setAway = (away: boolean) => {
    isAway = away;
  };
  const life = await startKeepAlive({ scopes: { call }, holder: 'a worker', logger: quiet });
  return { said, life, setAway };
}

test('is alive once it has said so, and while the database hears it', async () => {
  const { said, life } = await aWorker();
  expect(said).toEqual([6_000]);
  expect(life.isAlive()).toBe(true);
  expect(life.signal().aborted).toBe(false);
});

test('takes itself for dead as soon as others may, and for alive when it is heard again', async () => {
  const { life, setAway } = await aWorker();
  setAway(true);
  const signal = life.signal();
  await vi.advanceTimersByTimeAsync(5_999);
  expect([life.isAlive(), signal.aborted]).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(1);
  expect([life.isAlive(), signal.aborted]).toEqual([false, true]);
});

test('says that it has ended only if it left nothing', async () => {
  for (const isDone of [true, false]) {
    const { said, life } = await aWorker();
    await life.stop(isDone);
    expect(said).toEqual(isDone ? [6_000, 0] : [6_000]);
  }
});
