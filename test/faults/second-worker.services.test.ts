import { describe, type TestContext, test } from 'vitest';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { aService } from '../support/a-service.ts';
import {
  aDiary,
  aServiceProcess,
  hasFallen,
  type ServiceProcessOptions,
} from '../support/a-service-process.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { Fall, FallPoint } from '../support/fall-points.ts';
import type { JourneyRows } from '../support/journey-rows.ts';

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
      expect(withoutSending(await api.rows())).toEqual(withoutSending(answered));
      // One that has shown how the answer grew does not know whether that was in time: the answer may be edited once more.
      const afterwards = platform.calls.slice(calls).map(({ text }) => text);
      expect(afterwards.filter((text) => text !== 'You said: Hello')).toEqual([]);
    });
  }

  test('what one was showing when it was frozen does not stay in the place of the answer', async (context) => {
    const { expect } = context;
    const { platform, api, visitor, worker } = await aStage(context);
    const first = await worker({ speakingMs: 2_000 });
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    platform.onCall(async ({ kind }) => {
      if (kind !== 'edit') return;
      platform.onCall(async () => {});
      begun.resolve();
      await held.promise;
    });
    context.onTestFinished(() => held.resolve());

    const sent = await visitor.send('Hello');
    await begun.promise;
    first.signal('SIGSTOP');
    await worker();
    await visitor.answerTo(sent);
    const isSent = async (attempt: number) =>
      expect((await api.rows()).deliveries).toMatchObject([{ state: 'sent', attempt }]);
    await eventually(() => isSent(1));
    held.resolve();
    first.signal('SIGCONT');

    await eventually(() => isSent(2));
    expect(platform.calls.at(-1)).toMatchObject({ text: 'You said: Hello', delivery: { attempt: 2 } });
    expect(platform.posts).toHaveLength(1);
  });
});

/** What became of the message, without how often its answer was edited. */
const withoutSending = ({ deliveries, ...rows }: JourneyRows) => ({
  ...rows,
  deliveries: deliveries.map(({ id, message_id, external_ids }) => ({ id, message_id, external_ids })),
});

/** An api that only receives, and two workers of which the first to reach the point falls. */
async function twoWorkers(context: TestContext, fall: Fall, claimMs?: number) {
  const stage = await aStage(context);
  const options = { fall, ...(claimMs !== undefined && { claimMs }) };
  return { ...stage, workers: await Promise.all([stage.worker(options), stage.worker(options)]) };
}

/** An api that only receives, and what workers need. */
async function aStage({ onTestFinished }: TestContext) {
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const diary = await aDiary(onTestFinished);
  const api = await aService({ installation, env: { ROLES: 'api,scheduler' } }, onTestFinished);
  const worker = (options: Pick<ServiceProcessOptions, 'fall' | 'claimMs' | 'speakingMs'> = {}) =>
    aServiceProcess(
      { ...options, installation, diary, platformUrl: platform.url, env: { ROLES: 'worker' } },
      onTestFinished,
    );
  return { platform, diary, api, worker, visitor: await api.aVisitor() };
}
