import { expect, test } from 'vitest';
import type { WakeQueue } from '#queue/job.ts';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { aService } from '../support/a-service.ts';
import { emptyQueue } from '../support/empty-queue.ts';
import { eventually } from '../support/eventually.ts';

test('messages that wait are answered although the queue has forgotten them', async () => {
  const workers: (() => void)[] = [];
  // Nobody works yet, so that every wake-up waits in the queue.
  const wrapQueue = (queue: WakeQueue): WakeQueue => ({
    ...queue,
    work: (...given) => void workers.push(() => queue.work(...given)),
  });
  const service = await aService({ overrides: { wrapQueue } });
  const visitors = await Promise.all(Array.from({ length: 5 }, () => service.aVisitor()));
  const sent = await Promise.all(
    visitors.flatMap((visitor) =>
      ['One', 'Two'].map(async (text) => ({ visitor, text, id: (await visitor.send(text)).id })),
    ),
  );

  await emptyQueue(service);
  for (const begin of workers) begin();

  for (const { visitor, text, id } of sent) expect(await visitor.answerTo({ id })).toMatchObject({ text });
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries.map(({ state }) => state)).toEqual(sent.map(() => 'sent'));
  });
});

test('what is at work when the queue forgets it ends once, and what comes later is answered too', async () => {
  const gate = Promise.withResolvers<void>();
  const { agent, turns } = scriptedAgent(async function* ({ message }) {
    await gate.promise;
    yield* say(`Answer to ${message.text}`);
  });
  const service = await aService({ overrides: { wrapAgents: () => agent } });
  const visitor = await service.aVisitor();
  const first = await visitor.send('One');
  await eventually(() => expect(turns).toHaveLength(1));

  await emptyQueue(service);
  const second = await visitor.send('Two');
  gate.resolve();

  expect(await visitor.answerTo(first)).toMatchObject({ text: 'Answer to One' });
  expect(await visitor.answerTo(second)).toMatchObject({ text: 'Answer to Two' });
  expect((await service.rows()).turns.map(({ state, attempt }) => [state, attempt])).toEqual([
    ['done', 1],
    ['done', 1],
  ]);
});
