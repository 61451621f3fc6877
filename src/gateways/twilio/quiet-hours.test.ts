import { type QuietHours, quietHours } from '@swarmgate/contract/channels/twilio.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quietForMs } from './quiet-hours.ts';

const berlinNight: QuietHours = { from: '21:00', to: '08:00', timeZone: 'Europe/Berlin', answers: false };

/** When it ends, as an instant; `undefined`: it is not quiet. */
function endOf(quiet: QuietHours, now: string): string | undefined {
  const nowMs = Date.parse(now);
  const forMs = quietForMs(quiet, nowMs);
  return forMs === undefined ? undefined : new Date(nowMs + forMs).toISOString();
}

describe('over midnight', () => {
  test.each([
    ['before it begins', '2026-01-10T19:59:59.999Z', undefined],
    ['as it begins', '2026-01-10T20:00:00Z', '2026-01-11T07:00:00.000Z'],
    ['before midnight', '2026-01-10T22:30:15.250Z', '2026-01-11T07:00:00.000Z'],
    ['after midnight', '2026-01-11T02:00:00Z', '2026-01-11T07:00:00.000Z'],
    ['in its last moment', '2026-01-11T06:59:59.999Z', '2026-01-11T07:00:00.000Z'],
    ['as it ends', '2026-01-11T07:00:00Z', undefined],
    ['in summer, two hours from Greenwich', '2026-07-10T19:30:00Z', '2026-07-11T06:00:00.000Z'],
  ])('%s', (_, now, end) => expect(endOf(berlinNight, now)).toBe(end));
});

test('within a day', () => {
  const noon: QuietHours = { ...berlinNight, from: '12:00', to: '13:30', timeZone: 'America/New_York' };
  expect(endOf(noon, '2026-01-10T16:59:00Z')).toBeUndefined();
  expect(endOf(noon, '2026-01-10T17:00:00Z')).toBe('2026-01-10T18:30:00.000Z');
  expect(endOf(noon, '2026-01-10T18:30:00Z')).toBeUndefined();
});

test('in a zone of half hours and quarters', () => {
  const night = { ...berlinNight, timeZone: 'Asia/Kathmandu' };
  expect(endOf(night, '2026-01-10T20:00:00Z')).toBe('2026-01-11T02:15:00.000Z');
});

test('hours that end as they begin are none, and are refused as a setting', () => {
  expect(endOf({ ...berlinNight, to: '21:00' }, '2026-01-10T20:00:00Z')).toBeUndefined();
  expect(quietHours.safeParse({ from: '21:00', to: '21:00' }).success).toBe(false);
  expect(quietHours.parse({ from: '21:00', to: '08:00' })).toEqual({ ...berlinNight, timeZone: 'UTC' });
});

describe('when the clocks change', () => {
  test('a night that loses an hour ends an hour sooner', () => {
    expect(endOf(berlinNight, '2026-03-28T21:00:00Z')).toBe('2026-03-29T06:00:00.000Z');
  });

  test('a night that gains one ends an hour later', () => {
    expect(endOf(berlinNight, '2026-10-24T21:00:00Z')).toBe('2026-10-25T07:00:00.000Z');
  });

  test('an end that is jumped over is when they jump', () => {
    const early = { ...berlinNight, to: '02:30' };
    expect(endOf(early, '2026-03-28T23:30:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(endOf({ ...early, timeZone: 'America/New_York' }, '2026-03-08T05:00:00Z')).toBe(
      '2026-03-08T07:00:00.000Z',
    );
  });

  test('an end that comes twice is the first, and what is quiet again is quiet until the second', () => {
    const early = { ...berlinNight, to: '02:30' };
    expect(endOf(early, '2026-10-24T22:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(endOf(early, '2026-10-25T00:45:00Z')).toBeUndefined();
    expect(endOf(early, '2026-10-25T01:05:00Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  test('a zone that jumps by two hours is not waited for too long', () => {
    const early = { ...berlinNight, to: '02:30', timeZone: 'Antarctica/Troll' };
    expect(endOf(early, '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  });
});

test('the end is the first minute that is not quiet, wherever and whenever', () => {
  const times = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map((pieces) => pieces.map((piece) => String(piece).padStart(2, '0')).join(':'));
  const zones = fc.constantFrom(
    ...['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'],
  );
  const instants = fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2028-01-01') });
  // Days on which clocks change, among ordinary ones.
  const changes = fc
    .tuple(
      fc.constantFrom('2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-04-04', '2026-10-03'),
      fc.nat(172_800_000),
    )
    .map(([day, ms]) => Date.parse(day) - 86_400_000 + ms);
  fc.assert(
    fc.property(times, times, zones, fc.oneof(instants, changes), (from, to, timeZone, nowMs) => {
      fc.pre(from !== to);
      const quiet: QuietHours = { from, to, timeZone, answers: false };
      const forMs = quietForMs(quiet, nowMs);
      if (forMs === undefined) return;
      expect(quietForMs(quiet, nowMs + forMs)).toBeUndefined();
      expect(quietForMs(quiet, nowMs + forMs - 1)).toBe(1);
      expect(forMs).toBeLessThanOrEqual(26 * 3_600_000);
    }),
    { numRuns: 300 },
  );
});
