import { describe, type TestContext, test } from 'vitest';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { aService } from '../support/a-service.ts';
import { aDiary, aServiceProcess, hasFallen } from '../support/a-service-process.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { Fall, FallPoint } from '../support/fall-points.ts';

const killedAt: FallPoint[] = [
  'mid-turn',
  'between-steps',
  'after-stream-part',
  'after-turn-commit',
  'mid-delivery',
];
const frozenAt: FallPoint[] = [
  'before-step-commit',
  'before-stream-part',
  'before-turn-commit',
  'mid-delivery',
];

describe.concurrent('of two workers', () => {
  for (const at of killedAt) {
    test(`the other one takes over from one that is killed ${at}`, async (context) => {
      const { expect } = context;
      const { platform, diary, visitor, api } = await twoWorkers(context, { at, signal: 'SIGKILL' });

      const sent = await visitor.send('Hello');
      await hasFallen(diary);

      expect(await visitor.answerTo(sent)).toMatchObject({ text: 'You said: Hello' });
      await eventually(async () => {
        const { deliveries } = await api.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent']);
      });
      expect(platform.posts.map(({ texts }) => texts.at(-1))).toEqual(['You said: Hello']);
      expect(diary.count('looked up Hello')).toBe(1);
    });
  }

  test('what one had claimed when it was killed is free long before the claim runs out', async (context) => {
    const { expect } = context;
    const fall: Fall = { at: 'mid-delivery', signal: 'SIGKILL' };
    const { platform, diary, visitor, api } = await twoWorkers(context, fall, 10 * 60_000);

    await visitor.send('Hello');
    await hasFallen(diary);
    await eventually(async () => {
      const { deliveries } = await api.rows();
      expect(deliveries.map(({ state }) => state)).toEqual(['sent']);
    });
    expect(platform.posts.map(({ texts }) => texts.at(-1))).toEqual(['You said: Hello']);
  });

  for (const at of frozenAt) {
    test(`one that was frozen ${at} until the other had answered changes nothing when it wakes`, async (context) => {
      const { expect } = context;
      const { platform, diary, visitor, api, workers } = await twoWorkers(context, { at, signal: 'SIGSTOP' });

      const sent = await visitor.send('Hello');
      await hasFallen(diary);
      await visitor.answerTo(sent);
      const answered = await eventually(async () => {
        const rows = await api.rows();
        expect(rows.deliveries.map(({ state }) => state)).toEqual(['sent']);
        return rows;
      });
      const calls = platform.calls.length;
      for (const worker of workers) worker.signal('SIGCONT');

      // It finds out and says so; stopping it first lets everything end that it still had at hand.
      await eventually(() =>
        expect(workers.map((worker) => worker.output()).join()).toMatch(
          /the lease was lost; nothing was written|the claim of a delivery was lost/,
        ),
      );
      expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0]);
      expect(await api.rows()).toEqual(answered);
      expect(platform.calls).toHaveLength(calls);
    });
  }
});

/** An api that only receives, and two workers of which the first to reach the point falls. */
async function twoWorkers({ onTestFinished }: TestContext, fall: Fall, claimMs?: number) {
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const diary = await aDiary(onTestFinished);
  const api = await aService({ installation, env: { ROLES: 'api,scheduler' } }, onTestFinished);
  const worker = () =>
    aServiceProcess(
      {
        ...{ installation, diary, fall, platformUrl: platform.url, env: { ROLES: 'worker' } },
        ...(claimMs !== undefined && { claimMs }),
      },
      onTestFinished,
    );
  const workers = await Promise.all([worker(), worker()]);
  return { platform, diary, api, workers, visitor: await api.aVisitor() };
}
