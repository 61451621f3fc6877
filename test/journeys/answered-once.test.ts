import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { aService, sharedService } from '../support/a-service.ts';
import { anInstallation } from '../support/an-installation.ts';

const shared = sharedService();

test('a message is answered', async () => {
  const visitor = await shared().aVisitor();

  const sent = await visitor.send('Hello');

  expect(await visitor.answerTo(sent)).toMatchObject({ role: 'agent', text: 'Hello', sequence: 2 });
});

test('a message sent again answers the same and adds nothing', async () => {
  const visitor = await shared().aVisitor();
  const id = randomUUID();

  const first = await visitor.send('Hello', id);
  await visitor.answerTo(first);
  const again = await visitor.send('Hello', id);
  const otherwise = await visitor.send('Something else under the same id', id.toUpperCase());

  expect(again).toEqual(first);
  expect(otherwise).toEqual(first);
  expect(await textsOf(visitor)).toEqual(['Hello', 'Hello']);
});

test('a message sent many times at once is kept and answered once', async () => {
  const visitor = await shared().aVisitor();
  const id = randomUUID();

  const accepted = await Promise.all(Array.from({ length: 8 }, () => visitor.send('Hello', id)));
  for (const sent of accepted.slice(0, 1)) await visitor.answerTo(sent);
  await visitor.answerTo(await visitor.send('The next one'));

  expect(new Set(accepted.map((answer) => answer.id)).size).toBe(1);
  expect(await textsOf(visitor)).toEqual(['Hello', 'Hello', 'The next one', 'The next one']);
});

test('the same id of two visitors is two messages', async () => {
  const [one, other] = [await shared().aVisitor(), await shared().aVisitor()];
  const id = randomUUID();

  const sentByOne = await one.send('From one', id);
  const sentByOther = await other.send('From the other', id);

  expect(sentByOther.id).not.toBe(sentByOne.id);
  expect(await other.answerTo(sentByOther)).toMatchObject({ text: 'From the other' });
  expect(await one.answerTo(sentByOne)).toMatchObject({ text: 'From one' });
});

test('a message sent again after a restart adds nothing', async () => {
  const installation = await anInstallation();
  const before = await aService({ installation });
  const visitor = await before.aVisitor();
  const id = randomUUID();
  const first = await visitor.send('Hello', id);
  await visitor.answerTo(first);
  await before.close();

  const after = await aService({ installation });
  const returned = await after.aVisitor({ visitorToken: visitor.session.visitorToken });
  const again = await returned.send('Hello', id);
  await returned.answerTo(await returned.send('The next one'));

  expect(again).toEqual(first);
  expect(await textsOf(returned)).toEqual(['Hello', 'Hello', 'The next one', 'The next one']);
});

async function textsOf(visitor: { history(): Promise<{ text: string }[]> }): Promise<string[]> {
  return (await visitor.history()).map((message) => message.text);
}
