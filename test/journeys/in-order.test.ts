import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { sharedService } from '../support/a-service.ts';

const gate = Promise.withResolvers<void>();
const { agent, turns } = scriptedAgent(async function* (turn) {
  if (turn.message.text === 'Wait for the gate') await gate.promise;
  // The earlier a message, the slower its answer: whoever overtakes is seen.
  else await sleep(Math.max(0, 50 - 5 * Number(turn.message.text)));
  yield* say(`Answer to ${turn.message.text}`);
});
const shared = sharedService({ overrides: { wrapAgents: () => agent } });

test('ten quick messages are answered in order, each with an answer of its own', async () => {
  const visitor = await shared().aVisitor();
  const sent = [];

  for (let n = 1; n <= 10; n++) sent.push(await visitor.send(String(n)));
  await visitor.answerTo({ id: sent.at(-1)?.id ?? '' });

  const answers = (await visitor.history()).filter(({ role }) => role === 'agent');
  expect(answers.map(({ text }) => text)).toEqual(sent.map((_, index) => `Answer to ${index + 1}`));
  expect(answers.map(({ inReplyTo }) => inReplyTo)).toEqual(sent.map(({ id }) => id));
});

test('an agent is handed what was said before its message, and not what came after', async () => {
  const visitor = await shared().aVisitor();

  await visitor.send('1');
  await visitor.answerTo(await visitor.send('2'));

  const turn = turns.findLast(({ message }) => message.text === '2');
  expect(turn?.history.map(({ role, text }) => `${role}: ${text}`)).toEqual([
    'visitor: 1',
    'agent: Answer to 1',
  ]);
});

test('more messages than one wake-up answers are all answered', async () => {
  const visitor = await shared().aVisitor();

  const sent = await Promise.all(Array.from({ length: 25 }, (_, n) => visitor.send(String(n + 1))));
  for (const message of sent) await visitor.answerTo(message);

  expect(await visitor.history()).toHaveLength(50);
});

test('nobody waits for the answer to somebody else', async () => {
  const [slow, quick] = [await shared().aVisitor(), await shared().aVisitor()];

  const waiting = await slow.send('Wait for the gate');
  expect(await quick.answerTo(await quick.send('1'))).toMatchObject({ text: 'Answer to 1' });
  expect(await slow.history()).toHaveLength(1);

  gate.resolve();
  expect(await slow.answerTo(waiting)).toMatchObject({ text: 'Answer to Wait for the gate' });
});
