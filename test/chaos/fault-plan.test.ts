import { expect, test } from 'vitest';
import { describeFault, planFaults } from './fault-plan.ts';
import { planLoad } from './load-plan.ts';
import { createRandom } from './random.ts';

const options = { withinMs: 4_000, countMax: 4, outageMsMax: 2_000 };
const faultsOf = (seed: number) => planFaults(createRandom(seed, 'faults'), options);
const seeds = Array.from({ length: 500 }, (_, seed) => seed);

test('the same seed gives the same faults and the same load, another one others', () => {
  const load = { withinMs: 4_000, conversations: 4, messages: 4 };
  const loadOf = (seed: number) => planLoad(createRandom(seed, 'load'), load);
  expect(faultsOf(7)).toEqual(faultsOf(7));
  expect(loadOf(7)).toEqual(loadOf(7));
  expect(faultsOf(7)).not.toEqual(faultsOf(8));
  expect(loadOf(7)).not.toEqual(loadOf(8));
});

test('every kind of fault comes up, in time and within its bounds', () => {
  const all = seeds.flatMap(faultsOf);
  expect(new Set(all.map(({ kind }) => kind))).toEqual(
    new Set([
      ...['kill', 'kill at', 'freeze', 'freeze at', 'clock', 'link', 'flush-redis', 'kill-redis', 'slack'],
    ]),
  );
  for (const fault of all) {
    expect(fault.atMs).toBeLessThanOrEqual(options.withinMs);
    if (fault.kind === 'link' || fault.kind === 'kill-redis')
      expect(fault.lengthMs).toBeLessThanOrEqual(options.outageMsMax);
    expect(describeFault(fault)).toMatch(/^\d+\.\ds \S/);
  }
});

test('faults of a run are told in their order, and there is always one', () => {
  for (const seed of seeds) {
    const times = faultsOf(seed).map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(0);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }
});

test('streams of chances of one seed are independent, and even', () => {
  const [one, other] = [createRandom(1, 'one'), createRandom(1, 'other')];
  const draws = Array.from({ length: 6_000 }, () => [one.between(1, 6), other.between(1, 6)] as const);
  for (const face of [1, 2, 3, 4, 5, 6]) {
    const count = draws.filter(([drawn]) => drawn === face).length;
    expect(count).toBeGreaterThan(850);
    expect(count).toBeLessThan(1_150);
  }
  const pairs = draws.filter(([a, b]) => a === b).length;
  expect(pairs).toBeGreaterThan(850);
  expect(pairs).toBeLessThan(1_150);
});
