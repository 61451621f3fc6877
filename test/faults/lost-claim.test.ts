import { expect, onTestFinished, test } from 'vitest';
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
