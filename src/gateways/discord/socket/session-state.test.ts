import { describe, expect, test } from 'vitest';
import { createBackoff } from './backoff.ts';
import { endsSession, faultOf } from './close-codes.ts';
import { createInOrder } from './in-order.ts';
import { createSequenceTracker, readSessionState } from './session-state.ts';

describe('the place up to which everything is kept', () => {
  test('moves on only behind what is done, in whatever order that is', () => {
    const tracker = createSequenceTracker(10);
    for (const number of [11, 12, 13]) tracker.begin(number);
    expect(tracker.sequence).toBe(10);
    tracker.done(12);
    expect(tracker.sequence).toBe(10);
    tracker.done(11);
    expect(tracker.sequence).toBe(12);
    tracker.done(13);
    expect(tracker.sequence).toBe(13);
    expect(tracker.outstanding).toBe(0);
  });

  test('knows what comes again, but for what was left out, which it stays before', () => {
    const tracker = createSequenceTracker(10);
    for (const number of [11, 12, 13]) expect(tracker.begin(number)).toBe(true);
    tracker.done(11);
    tracker.leave(12);
    tracker.done(13);
    expect(tracker.sequence).toBe(11);
    expect([11, 12, 13].map((number) => tracker.begin(number))).toEqual([false, true, false]);
    expect(tracker.begin(12)).toBe(false);
    tracker.done(12);
    expect(tracker.sequence).toBe(13);
  });

  test('begins anew with a session: what ends late does not move it', () => {
    const tracker = createSequenceTracker(10);
    for (const number of [11, 12]) tracker.begin(number);
    tracker.reset(10);
    tracker.done(12);
    expect(tracker.sequence).toBe(10);
  });
});

describe('what was kept of a session', () => {
  const state = {
    ...{ sessionId: 's', resumeUrl: 'wss://gateway.example', shardCount: 1, generation: 1, sequence: 3 },
    ...{ botUser: '900', aliveAtMs: 5 },
  };

  test('is read back as it was', () => expect(readSessionState({ ...state })).toEqual(state));

  test.each([
    undefined,
    {},
    { ...state, resumeUrl: 'javascript:alert(1)' },
    { ...state, resumeUrl: 'no address' },
    { ...state, sequence: '3' },
  ])('of another form is not used: %j', (kept) => expect(readSessionState(kept)).toBeUndefined());
});

describe('close codes', () => {
  test.each([4_004, 4_010, 4_011, 4_012, 4_013, 4_014])('%s is a fault that says what to do', (code) => {
    const fault = faultOf(code, '900');
    expect(fault).toMatch(/^Discord /);
    expect(fault).toContain(String(code).slice(0, 4));
  });

  test.each([1_000, 1_001, 1_006, 4_000, 4_001, 4_002, 4_003, 4_005, 4_007, 4_008, 4_009])(
    '%s is none',
    (code) => expect(faultOf(code, '900')).toBeUndefined(),
  );

  test('4007 and 4009 need a new session; a network that fails does not', () => {
    for (const code of [4_007, 4_009]) expect(endsSession(code)).toBe(true);
    for (const code of [1_001, 1_006, 4_000]) expect(endsSession(code)).toBe(false);
  });
});

test('the back-off grows, and is as at first once a session was resumed', () => {
  const backoff = createBackoff(() => 1);
  const delays = Array.from({ length: 10 }, () => {
    backoff.closed();
    return backoff.delayMs();
  });
  expect(delays.slice(0, 4)).toEqual([0, 1_000, 2_000, 4_000]);
  expect(delays.at(-1)).toBe(60_000);
  backoff.resumed();
  backoff.closed();
  expect(backoff.delayMs()).toBe(0);
});

test('what is about one channel is kept in order, and what fails holds nothing up', async () => {
  const inOrder = createInOrder();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = inOrder('a', async () => {
    await gate.promise;
    done.push('a1');
    throw new Error('broken');
  });
  const second = inOrder('a', async () => void done.push('a2'));
  await inOrder('b', async () => void done.push('b'));
  expect(done).toEqual(['b']);
  gate.resolve();
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(done).toEqual(['b', 'a1', 'a2']);
});

test('what the SDK tells of after what came behind it is taken, and only once', () => {
  const tracker = createSequenceTracker(57);
  tracker.reset(0);
  expect([2, 1, 3, 1, 2].map((number) => tracker.begin(number))).toEqual([true, true, true, false, false]);
});
