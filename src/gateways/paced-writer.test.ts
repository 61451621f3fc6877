import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GatewayError } from './gateway-error.ts';
import { createPacedWriter } from './paced-writer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Write = (text: string) => Promise<void>;

function aWriter(write: Write = async () => {}) {
  const written: { text: string; atMs: number }[] = [];
  const startedAt = performance.now();
  const writer = createPacedWriter({
    intervalMs: () => 1_000,
    async write(text) {
      written.push({ text, atMs: Math.round(performance.now() - startedAt) });
      await write(text);
    },
  });
  return { writer, written };
}

function failingOnce(error: unknown): Write {
  let left = 1;
  return async () => {
    if (left-- > 0) throw error;
  };
}

test('the first text is written at once, and of many the latest, once a second', async () => {
  const { writer, written } = aWriter();
  for (let index = 1; index <= 30; index++) {
    writer.show(`text ${index}`);
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(5_000);
  expect(written).toEqual([
    { text: 'text 1', atMs: 0 },
    { text: 'text 10', atMs: 1_000 },
    { text: 'text 20', atMs: 2_000 },
    { text: 'text 30', atMs: 3_000 },
  ]);
});

test('there is one call at a time', async () => {
  const calls: (() => void)[] = [];
  const { writer, written } = aWriter(() => new Promise((resolve) => calls.push(resolve)));
  writer.show('one');
  writer.show('two');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(written).toHaveLength(1);
  calls[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(written.map(({ text }) => text)).toEqual(['one', 'two']);
});

test('nothing is written while Slack wants to be left alone, then the latest', async () => {
  const limited = new GatewayError('rate_limited', 'Too many.', { retryAfterMs: 20_000 });
  const { writer, written } = aWriter(failingOnce(limited));
  for (let index = 1; index <= 25; index++) {
    writer.show(`text ${index}`);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(written[1]).toEqual({ text: 'text 20', atMs: 20_000 });
});

test('a text that was refused for now is written without being shown again', async () => {
  const { writer, written } = aWriter(failingOnce(new GatewayError('unavailable', 'Down.')));
  writer.show('the only text');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(written.map(({ text }) => text)).toEqual(['the only text', 'the only text']);
});

test('what Slack refuses ends the writing, and fails nothing', async () => {
  const { writer, written } = aWriter(failingOnce(new GatewayError('message_refused', 'No.')));
  writer.show('one');
  await vi.advanceTimersByTimeAsync(2_000);
  writer.show('two');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(written).toHaveLength(1);
  await writer.close();
});

test('what is no answer of Slack comes out when the writer is closed', async () => {
  const lost = new Error('the lease is lost');
  const { writer } = aWriter(failingOnce(lost));
  writer.show('one');
  await vi.advanceTimersByTimeAsync(0);
  await expect(writer.close()).rejects.toBe(lost);
});

test('closing waits for the call on its way, and not for the pace', async () => {
  const calls: (() => void)[] = [];
  const { writer, written } = aWriter(() => new Promise((resolve) => calls.push(resolve)));
  writer.show('one');
  writer.show('two');
  let isClosed = false;
  const closed = writer.close().then(() => {
    isClosed = true;
  });
  await vi.advanceTimersByTimeAsync(500);
  expect(isClosed).toBe(false);
  calls[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  await closed;
  expect(written).toHaveLength(1);
});

test('closing ends a rest at once', async () => {
  const { writer, written } = aWriter();
  writer.show('one');
  await vi.advanceTimersByTimeAsync(10);
  writer.show('two');
  await vi.advanceTimersByTimeAsync(10);
  await writer.close();
  expect(written).toHaveLength(1);
});
