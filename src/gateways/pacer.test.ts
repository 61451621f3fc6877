import { expect, test } from 'vitest';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { createPacer } from './pacer.ts';

const never = new AbortController().signal;

test('waits for its place', async () => {
  const waits: number[] = [];
  const pacer = createPacer(
    createPaceInProcess(() => 0),
    async (waitMs) => void waits.push(waitMs),
  );
  for (let n = 0; n < 3; n++) await pacer.take('a', 1_000, never);
  expect(waits).toEqual([1_000, 2_000]);
});

test('does not wait for too long, and says when to come back', async () => {
  const pacer = createPacer(createPaceInProcess(() => 0));
  await pacer.take('a', 1_000, never, 20);
  await expect(pacer.take('a', 1_000, never)).rejects.toMatchObject({
    code: 'gateway_not_now',
    retryAfterMs: 20_000,
  });
});

test('a wait ends with its signal, and its place goes to the next', async () => {
  const waits: number[] = [];
  const budget = createPaceInProcess(() => 0);
  const pacer = createPacer(budget, async (waitMs) => {
    waits.push(waitMs);
    if (waits.length === 1) throw new Error('aborted');
  });
  await pacer.take('a', 1_000, never);
  await expect(pacer.take('a', 1_000, never)).rejects.toMatchObject({ code: 'gateway_not_now' });
  await pacer.take('a', 1_000, never);
  expect(waits).toEqual([1_000, 1_000]);
});

test('what has no time left takes no place', async () => {
  const pacer = createPacer(createPaceInProcess(() => 0));
  const refused = { code: 'gateway_not_now', retryAfterMs: 0 };
  await expect(pacer.take('a', 1_000, AbortSignal.abort(), 9)).rejects.toMatchObject(refused);
  await pacer.take('a', 1_000, never);
});
