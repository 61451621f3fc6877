import { expect, test } from 'vitest';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import { sharedService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';

// Says the first half, waits until the test has looked, and says the rest.
let secondHalf = Promise.withResolvers<void>();
const { agent } = scriptedAgent(async function* () {
  yield { kind: 'text', delta: 'The first half, ' };
  await secondHalf.promise;
  secondHalf = Promise.withResolvers<void>();
  yield { kind: 'text', delta: 'the second half.' };
  yield done('The first half, the second half.');
});
const shared = sharedService({ overrides: { wrapAgents: () => agent } });

test('an answer is shown while it is written, and then as a message', async () => {
  const visitor = await shared().aVisitor();
  const page = await visitor.listen();

  const sent = await visitor.send('Tell me');
  const started = await page.until(({ event, data }) => event === 'turn' && data.state === 'started');
  await eventually(() => expect(page.draft()).toBe('The first half, '));
  expect(page.messages().map(({ role }) => role)).toEqual(['visitor']);

  secondHalf.resolve();
  const finished = await page.until(({ event, data }) => event === 'turn' && data.state === 'finished');
  const answer = await page.until(({ event, data }) => event === 'message' && data.role === 'agent');

  expect(page.draft()).toBe('The first half, the second half.');
  expect(finished.data).toMatchObject({ turnId: (started.data as { turnId: string }).turnId });
  expect(answer.data).toMatchObject({ text: 'The first half, the second half.', inReplyTo: sent.id });
  expect(page.events.some(({ event }) => event === 'typing')).toBe(true);
});

test('whoever comes in the middle of an answer is shown what has been written so far', async () => {
  const visitor = await shared().aVisitor();
  const early = await visitor.listen();
  const sent = await visitor.send('Tell me');
  await eventually(() => expect(early.draft()).toBe('The first half, '));
  early.close();

  const late = await visitor.listen(early.lastEventId());
  await eventually(() => expect(late.draft()).toBe('The first half, '));
  secondHalf.resolve();
  await visitor.answerTo(sent);

  await eventually(() => expect(late.messages().map(({ role }) => role)).toEqual(['agent']));
  expect(late.draft()).toBe('The first half, the second half.');
});

test('two tabs of one visitor are shown the same', async () => {
  const visitor = await shared().aVisitor();
  const [one, other] = [await visitor.listen(), await visitor.listen()];

  const sent = await visitor.send('Tell me');
  for (const tab of [one, other]) await eventually(() => expect(tab.draft()).toBe('The first half, '));
  secondHalf.resolve();
  const answer = await visitor.answerTo(sent);

  for (const tab of [one, other]) {
    await eventually(() => expect(tab.messages()).toHaveLength(2));
    expect(tab.messages()).toEqual(await visitor.history());
    expect(tab.messages().at(-1)).toEqual(answer);
  }
});

test('a page of somebody else is shown nothing of it', async () => {
  const [visitor, stranger] = [await shared().aVisitor(), await shared().aVisitor()];
  const page = await stranger.listen();

  secondHalf.resolve();
  await visitor.answerTo(await visitor.send('Tell me'));
  secondHalf.resolve();
  await stranger.answerTo(await stranger.send('My own'));

  await eventually(() => expect(page.messages()).toHaveLength(2));
  expect(page.messages()).toEqual(await stranger.history());
});
