import { expect, test } from 'vitest';
import { toWire } from '#domain/ids.ts';
import { texts } from '#locales/en.ts';
import { ModelError } from '#models/model.ts';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import { sharedService } from '../support/a-service.ts';
import type { Visitor } from '../support/a-visitor.ts';
import { eventually } from '../support/eventually.ts';

// Speaks until it is stopped, or says nothing until then.
const { agent, turns } = scriptedAgent(async function* ({ message: { text } }, signal) {
  if (text === 'Short') return yield* say('Short answer');
  if (text === 'Later') throw new ModelError('rate_limited', 'Busy.', { retryAfterMs: 60_000 });
  if (text !== 'Say nothing') yield { kind: 'text', delta: 'So far' };
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
});
const shared = sharedService({ overrides: { wrapAgents: () => agent } });

test('a turn that is stopped ends at once, with what was said until then', async () => {
  const visitor = await shared().aVisitor();
  const page = await visitor.listen();
  const sent = await visitor.send('Speak');
  await eventually(() => expect(page.draft()).toBe('So far'));

  const stopped = await visitor.cancel(await turnIdOf(sent));

  expect(stopped.status).toBe(202);
  expect(await visitor.answerTo(sent)).toMatchObject({ role: 'agent', text: 'So far' });
  await page.until(({ event, data }) => event === 'turn' && data.state === 'finished');
  expect(await visitor.answerTo(await visitor.send('Short'))).toMatchObject({ text: 'Short answer' });
});

test('a turn that is stopped before it has said anything says that it was stopped', async () => {
  const visitor = await shared().aVisitor();
  const sent = await visitor.send('Say nothing');
  await eventually(() => expect(turns.at(-1)?.message.text).toBe('Say nothing'));

  await visitor.cancel(await turnIdOf(sent));

  expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system', text: texts.stopped });
});

test('a turn that is stopped while it waits for its place does not begin', async () => {
  const visitor = await shared().aVisitor();
  const [first, second] = [await visitor.send('Speak'), await visitor.send('Never mind')];

  expect((await visitor.cancel(await turnIdOf(second))).status).toBe(202);
  await eventually(async () => visitor.cancel(await turnIdOf(first)));

  expect(await visitor.answerTo(second)).toMatchObject({ role: 'system', text: texts.stopped });
  expect(turns.map(({ message }) => message.text)).not.toContain('Never mind');
});

test('a turn that is stopped while it waits to be tried again does not wait any longer', async () => {
  const visitor = await shared().aVisitor();
  const sent = await visitor.send('Later');
  await eventually(async () => {
    const { turns: rows } = await shared().rows();
    expect(rows.find(({ state }) => state === 'pending')).toMatchObject({ error_code: 'model_rate_limited' });
  });
  const startedAt = performance.now();

  await visitor.cancel(await turnIdOf(sent));

  expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system', text: texts.stopped });
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(turns.filter(({ message }) => message.text === 'Later')).toHaveLength(1);
});

test('nobody stops the turn of somebody else', async () => {
  const [visitor, stranger] = [await shared().aVisitor(), await shared().aVisitor()];
  const sent = await visitor.send('Speak');
  const turnId = await turnIdOf(sent);

  expect(await refusalOf(stranger, turnId)).toEqual([404, 'not_found']);
  expect((await shared().rows()).turns.find(({ id }) => toWire('turn', id) === turnId)?.state).not.toBe(
    'done',
  );

  await visitor.cancel(turnId);
  await visitor.answerTo(sent);
});

test('a turn that has ended, and one that never was, cannot be stopped', async () => {
  const visitor = await shared().aVisitor();
  const sent = await visitor.send('Short');
  await visitor.answerTo(sent);

  expect(await refusalOf(visitor, await turnIdOf(sent))).toEqual([404, 'not_found']);
  expect(await refusalOf(visitor, 'trn_00000000000000000000000000000000')).toEqual([404, 'not_found']);
  expect(await refusalOf(visitor, 'mine')).toEqual([404, 'not_found']);
});

async function turnIdOf(sent: { id: string }): Promise<string> {
  const { turns: rows } = await shared().rows();
  const turn = rows.find(({ message_id }) => toWire('message', message_id) === sent.id);
  return toWire('turn', turn?.id ?? '');
}

async function refusalOf(visitor: Visitor, turnId: string): Promise<[number, string]> {
  const response = await visitor.cancel(turnId);
  const { code } = (await response.json()) as { code: string };
  return [response.status, code];
}
