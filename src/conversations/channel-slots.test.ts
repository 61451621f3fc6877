import { expect, test, vi } from 'vitest';
import { createChannelSlots, type Invitation } from './channel-slots.ts';

const limits = { atWorkMax: 2, waitingMax: 1, waitMsMax: 1_000, inLineMax: 3 };

/** Works that end when the test says so. */
function works() {
  const slots = createChannelSlots(limits);
  const begun: string[] = [];
  const begin = (channel: string, name: string, invitation?: Invitation) => {
    const gate = Promise.withResolvers<string>();
    const work = () => {
      begun.push(name);
      return gate.promise;
    };
    const result = slots.within(channel, work, invitation);
    result.catch(() => {});
    return { result, end: () => gate.resolve(name), fail: (error: Error) => gate.reject(error) };
  };
  /** Stands in line with a work that ends as soon as it has begun, or does not come. */
  const lineUp = (channel: string, key: string, { comes = true, does = key, isLatest = true } = {}) => {
    const comeBack = async (invitation: Invitation) => {
      if (!comes) return;
      const work = begin(channel, does, invitation);
      work.end();
      await work.result.catch(() => {});
    };
    slots.lineUp(channel, key, comeBack, isLatest);
  };
  return { begin, begun, lineUp };
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

test('who is in line is called back in turn, each as another one leaves, and nobody overtakes the line', async () => {
  const { begin, begun, lineUp } = works();
  const [first, , third] = ['1', '2', '3'].map((name) => begin('a', name));
  for (const name of ['4', '5', '6']) lineUp('a', name);
  await settled();
  expect(begun).toEqual(['1', '2']);

  await expect(begin('a', 'late').result).rejects.toMatchObject(busy);
  first?.end();
  await settled();
  expect(begun).toEqual(['1', '2', '3']);
  // The second one still holds its place.
  third?.end();
  await settled();
  expect(begun).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('a line moves to its end, although some of it do not come', async () => {
  const { begin, begun, lineUp } = works();
  const all = ['1', '2', '3'].map((name) => begin('a', name));
  lineUp('a', '4');
  lineUp('a', 'gone', { comes: false });
  lineUp('a', '5');
  for (const work of all) work.end();
  await settled();
  expect(begun).toEqual(['1', '2', '3', '4', '5']);

  // And there is room again for whoever comes.
  begin('a', '6');
  await settled();
  expect(begun.at(-1)).toBe('6');
});

test('a line is so long at most, and holds each one once', async () => {
  const { begin, begun, lineUp } = works();
  const all = ['1', '2', '3'].map((name) => begin('a', name));
  for (const name of ['4', '4', '5', '6', '7']) lineUp('a', name);
  for (const work of all) work.end();
  await settled();
  expect(begun).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('who stands in line under a key that has come before keeps its place, and only the latest changes what is done', async () => {
  const { begin, begun, lineUp } = works();
  const all = ['1', '2', '3'].map((name) => begin('a', name));
  lineUp('a', 'x', { does: 'first' });
  lineUp('a', 'y', { does: 'y' });
  lineUp('a', 'x', { does: 'earlier', isLatest: false });
  lineUp('a', 'x', { does: 'latest' });
  for (const work of all) work.end();
  await settled();
  expect(begun).toEqual(['1', '2', '3', 'latest', 'y']);
});

test('while places do not turn over, nobody is called back', async () => {
  vi.useFakeTimers();
  try {
    const { begin, begun, lineUp } = works();
    const [, , third] = ['1', '2', '3'].map((name) => begin('a', name));
    lineUp('a', '4');
    vi.advanceTimersByTime(limits.waitMsMax);
    await expect(third?.result).rejects.toMatchObject(busy);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begun).toEqual(['1', '2']);
  } finally {
    vi.useRealTimers();
  }
});

test('who stands in line where there is room is called back at once', async () => {
  const { begun, lineUp } = works();
  lineUp('a', '1');
  await settled();
  expect(begun).toEqual(['1']);
});
