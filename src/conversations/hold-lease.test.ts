import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type HeldLease, holdLease, LeaseLostError, TurnCancelledError } from './hold-lease.ts';
import type { LeaseState } from './turn-journal.ts';

const leaseMs = 3_000;
let lease: HeldLease;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  lease.release();
  vi.useRealTimers();
});

function hold(extend: () => Promise<LeaseState>, stop = new AbortController().signal) {
  lease = holdLease(extend, leaseMs, stop);
  return lease.signal;
}

test('is extended three times in its length', async () => {
  const extend = vi.fn(async () => 'held' as const);
  const signal = hold(extend);
  await vi.advanceTimersByTimeAsync(3 * leaseMs);
  expect(extend).toHaveBeenCalledTimes(9);
  expect(signal.aborted).toBe(false);
});

test('is given up as soon as it is known to be lost', async () => {
  const signal = hold(async () => 'lost');
  await vi.advanceTimersByTimeAsync(leaseMs / 3);
  expect(signal.reason).toBeInstanceOf(LeaseLostError);
});

test('runs out by our own clock when the database hangs, and asks it only once', async () => {
  const extend = vi.fn(() => new Promise<LeaseState>(() => {}));
  const signal = hold(extend);
  await vi.advanceTimersByTimeAsync(leaseMs);
  expect(signal.reason).toBeInstanceOf(LeaseLostError);
  expect(extend).toHaveBeenCalledTimes(1);
});

test('outlives a database that is away for a moment', async () => {
  const extend = vi.fn<() => Promise<LeaseState>>(async () => 'held');
  extend.mockRejectedValueOnce(new Error('away'));
  const signal = hold(extend);
  await vi.advanceTimersByTimeAsync(2 * leaseMs);
  expect(signal.aborted).toBe(false);
});

test('runs out by our own clock when the database stays away', async () => {
  const signal = hold(() => Promise.reject(new Error('away')));
  await vi.advanceTimersByTimeAsync(leaseMs - 1);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(signal.reason).toBeInstanceOf(LeaseLostError);
});

test('is not believed when the answer comes after its end', async () => {
  const answer = Promise.withResolvers<LeaseState>();
  const signal = hold(() => answer.promise);
  await vi.advanceTimersByTimeAsync(leaseMs - 1);
  vi.advanceTimersByTime(1); // the process stood still, and only now gets the answer to its first question
  answer.resolve('held');
  await vi.advanceTimersByTimeAsync(0);
  expect(signal.reason).toBeInstanceOf(LeaseLostError);
});

test('counts from when it was asked for, not from when the answer came', async () => {
  const answer = Promise.withResolvers<LeaseState>();
  const extend = vi.fn<() => Promise<LeaseState>>(() => Promise.reject(new Error('away')));
  extend.mockReturnValueOnce(answer.promise);
  const signal = hold(extend);
  await vi.advanceTimersByTimeAsync(leaseMs - 1);
  answer.resolve('held');
  const askedAtMs = leaseMs / 3;
  await vi.advanceTimersByTimeAsync(askedAtMs);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(signal.reason).toBeInstanceOf(LeaseLostError);
});

test('is kept when the turn was cancelled, but the turn stops', async () => {
  const signal = hold(async () => 'cancelled');
  await vi.advanceTimersByTimeAsync(leaseMs / 3);
  expect(signal.reason).toBeInstanceOf(TurnCancelledError);
});

test('can be cancelled from here', () => {
  const signal = hold(async () => 'held');
  lease.cancel();
  expect(signal.reason).toBeInstanceOf(TurnCancelledError);
});

test('stops for the reason that the process gives', () => {
  const stop = new AbortController();
  const signal = hold(async () => 'held', stop.signal);
  stop.abort(new RangeError('stopping'));
  expect(signal.reason).toBeInstanceOf(RangeError);
});

test('is not extended once it was released', async () => {
  const extend = vi.fn(async () => 'held' as const);
  hold(extend);
  lease.release();
  await vi.advanceTimersByTimeAsync(2 * leaseMs);
  expect(extend).not.toHaveBeenCalled();
});
