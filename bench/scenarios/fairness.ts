import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../figures.ts';
import type { RunningProcess } from '../processes.ts';
import { startSlackLoad } from '../slack/load.ts';
import { eventsPath, install, startApi, startWorker } from '../subjects/swarmgate.ts';
import type { Scenario } from './scenario.ts';

const quietTenants = 100;
/** Few enough that nobody waits for a core when nobody storms. */
const quietPerSecond = 20;
/** A new process is slow at first, which is not what is measured. */
const warmUpMs = 2_000;

export const fairness: Scenario = {
  about:
    '100 quiet tenants who say something now and then, with and without one who has 10,000 messages waiting and runs as many turns as its plan gives it',
  async run({ servers, scale }) {
    const load = await startSlackLoad();
    const running: RunningProcess[] = [];
    const installation = await install(servers, {
      ...{ tenants: quietTenants + 1, apiUrl: load.apiUrl },
      hasCeilings: true,
    });
    const quiet = {
      messages: Math.round(100 * Math.max(scale, 0.5)),
      perSecond: quietPerSecond,
      workspaceOf: (n: number) => n % quietTenants,
    };
    try {
      const api = await startApi(installation);
      const eventsUrl = `${api.url}${eventsPath}`;
      const first = await startWorker(installation);
      running.push(api);
      await load.run(eventsUrl, { messages: 500, atOnce: 16, workspaceOf: (n) => n % quietTenants });
      const calm = await load.run(eventsUrl, quiet);

      // With nobody at work, so that all of the storm waits.
      await first.stop();
      const allWait = Promise.withResolvers<void>();
      let isOver = false;
      const storm = load
        .run(eventsUrl, {
          ...{ messages: 10_000 * scale, atOnce: 32, workspaceOf: () => quietTenants },
          onAllAcknowledged: allWait.resolve,
        })
        .finally(() => {
          isOver = true;
        });
      await Promise.race([allWait.promise, storm]);
      running.push(await startWorker(installation));
      await pause(warmUpMs);
      const stormy = await load.run(eventsUrl, quiet);
      if (isOver)
        throw new Error(
          'The storm was over before the quiet were measured: nothing was shown. Make it larger.',
        );
      await storm;

      const beside = (share: number) => ({ what: 'without it', value: percentile(calm.replyMs, share) });
      return [
        {
          what: 'the quiet wait, p50, beside a storm',
          value: percentile(stormy.replyMs, 0.5),
          unit: 'ms',
          beside: beside(0.5),
        },
        {
          what: 'the quiet wait, p95, beside a storm',
          value: percentile(stormy.replyMs, 0.95),
          unit: 'ms',
          beside: beside(0.95),
          bar: { atMost: 2 },
        },
      ];
    } finally {
      for (const process of running) await process.stop();
      installation.remove();
      await load.close();
    }
  },
};
