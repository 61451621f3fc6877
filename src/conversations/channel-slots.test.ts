import { expect, test, vi } from 'vitest';
import { createChannelSlots } from './channel-slots.ts';

const limits = { atWorkMax: 2, waitingMax: 1, waitMsMax: 1_000 };

/** Works that end when the test says so. */
function works() {
  const slots = createChannelSlots(limits);
  const begun: string[] = [];
  const begin = (channel: string, name: string) => {
    const gate = Promise.withResolvers<string>();
    const result = slots.within(channel, () => {
      begun.push(name);
      return gate.promise;
    });
    result.catch(() => {});
    return { result, end: () => gate.resolve(name), fail: (error: Error) => gate.reject(error) };
  };
  return { begin, begun };
}

const busy = { code: 'gateway_not_now' };
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a channel has so many places, one more waits, and the next is put off', async () => {
  const { begin, begun } = works();
  const first = begin('a', 'first');
  begin('a', 'second');
  const third = begin('a', 'third');
  await expect(begin('a', 'fourth').result).rejects.toMatchObject(busy);
  expect(begun).toEqual(['first', 'second']);

  first.end();
  expect(await first.result).toBe('first');
  await settled();
  expect(begun).toEqual(['first', 'second', 'third']);
  third.end();
  expect(await third.result).toBe('third');
});

test('another channel has places of its own', async () => {
  const { begin, begun } = works();
  for (const name of ['a1', 'a2', 'a3']) begin('a', name);
  begin('b', 'b1');
  await settled();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
});

test('a place is free again after a failure', async () => {
  const { begin, begun } = works();
  const first = begin('a', 'first');
  begin('a', 'second');
  first.fail(new Error('down'));
  await expect(first.result).rejects.toThrow('down');
  begin('a', 'third');
  await settled();
  expect(begun).toEqual(['first', 'second', 'third']);
});

test('nobody waits for long, and who gave up leaves no gap behind', async () => {
  vi.useFakeTimers();
  try {
    const { begin, begun } = works();
    const first = begin('a', 'first');
    begin('a', 'second');
    const third = begin('a', 'third');
    vi.advanceTimersByTime(limits.waitMsMax);
    await expect(third.result).rejects.toMatchObject(busy);
    const fourth = begin('a', 'fourth');
    first.end();
    await first.result;
    fourth.end();
    expect(await fourth.result).toBe('fourth');
    expect(begun).toEqual(['first', 'second', 'fourth']);
  } finally {
    vi.useRealTimers();
  }
});
