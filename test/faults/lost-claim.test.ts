import { expect, onTestFinished, test } from 'vitest';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import type { HotPathFunction, Scopes } from '#tenancy/scopes.ts';
import { postingGateway } from '../fakes/posting-gateway.ts';
import { startPostingPlatform } from '../fakes/posting-platform.ts';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';
import { wakeByHand } from '../support/wake-by-hand.ts';

test('a worker whose platform was too slow for its claim cannot record over the one that took over', async () => {
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  platform.onCall(({ delivery }) => (delivery?.attempt === 1 ? first.promise : second.promise));
  const { agent, turns } = scriptedAgent(async function* () {
    yield done('Hello');
  });
  const { wrapQueue, wake } = wakeByHand();
  const service = await aService({
    overrides: {
      claimMs: 1_500,
      wrapAgents: () => agent,
      wrapGateway: () => postingGateway(platform.url),
      wrapQueue,
    },
  });
  onTestFinished(() => {
    first.resolve();
    second.resolve();
  });
  const visitor = await service.aVisitor();
  await visitor.answerTo(await visitor.send('Hello'));
  await eventually(() => expect(platform.calls).toHaveLength(1));
  const [turn] = turns;
  if (!turn) throw new Error('There was a turn.');

  const takenOver = eventually(async () => {
    await wake('delivery', turn);
    expect(platform.calls).toHaveLength(2);
  });
  await eventually(() => expect(platform.calls).toHaveLength(2));
  first.resolve();
  await eventually(() =>
    expect(service.logLines.map(({ msg }) => msg)).toContain(
      'the claim of a delivery was lost before its outcome was recorded',
    ),
  );
  const [atWork] = (await service.rows()).deliveries;
  second.resolve();
  await takenOver;

  expect(atWork).toMatchObject({ state: 'sending', attempt: 2, external_ids: [] });
  expect((await service.rows()).deliveries).toEqual([
    expect.objectContaining({ state: 'sent', attempt: 2, external_ids: ['post-2'] }),
  ]);
  expect(platform.calls.map(({ delivery }) => delivery?.interrupted)).toEqual([false, true]);
});

test('what was sent while the database went away is recorded when it is back, and not sent again', async () => {
  const platform = await startPostingPlatform();
  onTestFinished(platform.close);
  let refusals = 3;
  const service = await aService({
    overrides: {
      wrapGateway: () => postingGateway(platform.url),
      wrapScopes: (scopes): Scopes => ({
        ...scopes,
        call: async <Row extends object>(name: HotPathFunction, parameters: readonly unknown[]) => {
          if (name === 'swarmgate.record_deliveries_v1' && refusals-- > 0)
            throw new StorageUnavailableError(new Error('away'));
          return scopes.call<Row>(name, parameters);
        },
      }),
    },
  });
  const visitor = await service.aVisitor();
  await visitor.send('Hello');

  // Long before the claim, of thirty seconds, runs out.
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries).toMatchObject([{ state: 'sent', attempt: 1, external_ids: ['post-1'] }]);
  }, 10_000);
  expect(platform.posts).toHaveLength(1);
});
