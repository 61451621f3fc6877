import { compareInstallations } from './compare.ts';
import type { Scenario } from './scenario.ts';

export const growth: Scenario = {
  about: 'more tenants in one installation: 10,000 and 1,000 beside 10',
  async run(tools) {
    const [most, many, few] = await compareInstallations(tools, [
      { name: '10,000 tenants', tenants: 10_000 * tools.scale },
      { name: '1,000 tenants', tenants: 1_000 * tools.scale },
      { name: '10 tenants', tenants: 10 },
    ] as const);
    const beside = (value: number) => ({ what: '10 tenants', value });
    return [
      {
        what: 'replies, 10,000 tenants',
        value: most.repliesPerSecond,
        unit: '/s',
        beside: beside(few.repliesPerSecond),
        bar: { atLeast: 0.95 },
      },
      {
        what: 'replies, 1,000 tenants',
        value: many.repliesPerSecond,
        unit: '/s',
        beside: beside(few.repliesPerSecond),
      },
      {
        what: 'memory of both processes, 10,000 tenants',
        value: most.memoryMb,
        unit: 'MB',
        beside: beside(few.memoryMb),
        bar: { atMost: 1.2 },
      },
      {
        what: 'ready, 10,000 tenants',
        value: most.readyInMs,
        unit: 'ms',
        beside: beside(few.readyInMs),
      },
    ];
  },
};
