import { expect, test } from 'vitest';
import type { DeadLetter } from '#conversations/dead-letters/dead-letter.ts';
import type { ShownDeadLetter } from '#conversations/dead-letters/show-dead-letter.ts';
import { AppError } from '#domain/errors.ts';
import { type DeadLettersWish, operateDeadLetters } from '../../src/cli/dead-letters.ts';
import { done, say } from '../fakes/scripted-agent.ts';
import { sharedPostingService } from '../support/a-posting-service.ts';
import { eventually } from '../support/eventually.ts';

const begin = sharedPostingService();

class BrokenError extends AppError<'broken'> {
  constructor() {
    super('broken', 'It is broken.');
  }
}

/** A service whose agent fails at `poison` until it is mended; what an operator asks for is asked for its tenant. */
async function aService() {
  let mended = false;
  const begun = await begin(async function* ({ message }) {
    if (message.text === 'poison' && !mended) throw new BrokenError();
    if (message.text === 'whole') yield done('Whole');
    else yield* say(`Answer to ${message.text}`);
  });
  const { storage } = begun.service.app;
  const letters = (act: 'list' | 'replay' | 'purge', choice: { ids?: string[]; code?: string } = {}) =>
    operateDeadLetters(storage, { tenant: 'shop', act, choice: { limit: 50, ...choice } }) as Promise<
      DeadLetter[]
    >;
  // Those of the tests before are nobody's any more.
  await letters('purge');
  return {
    ...begun,
    letters,
    show: (id: string, withText: boolean) =>
      operateDeadLetters(storage, { tenant: 'shop', act: 'show', id, withText }) as Promise<ShownDeadLetter>,
    ask: (wish: DeadLettersWish) => operateDeadLetters(storage, wish),
    mend: () => {
      mended = true;
    },
  };
}

test('an answer that was given up is listed with its reason, and the conversation goes on', async () => {
  const { visitor, letters, show } = await aService();
  const sent = await visitor.send('poison');
  expect(await visitor.answerTo(sent)).toMatchObject({ role: 'system' });
  expect(await visitor.answerTo(await visitor.send('fine'))).toMatchObject({ text: 'Answer to fine' });

  const [letter, ...more] = await letters('list');
  expect(more).toEqual([]);
  expect(letter).toMatchObject({
    kind: 'turn',
    id: expect.stringMatching(/^trn_/),
    conversationId: visitor.session.conversationId,
    channel: 'site',
    platform: 'webchat',
    code: 'broken',
    reason: 'It is broken.',
    attempts: 1,
    replays: 0,
  });
  const id = letter?.id ?? '';
  expect(await show(id, false)).not.toHaveProperty('text');
  expect(await show(id, true)).toMatchObject({ text: 'poison', stepsKept: 0 });
  expect(await letters('list', { code: 'other' })).toEqual([]);
});

test('a replay answers after all, once, and is no dead letter any more', async () => {
  const { visitor, letters, mend, settled } = await aService();
  const sent = await visitor.send('poison');
  await visitor.answerTo(sent);
  const [letter] = await letters('list');
  mend();

  expect(await letters('replay', { ids: [letter?.id ?? ''] })).toMatchObject([{ id: letter?.id }]);
  await eventually(async () => {
    const answers = (await visitor.history()).filter(({ inReplyTo }) => inReplyTo === sent.id);
    expect(answers.map(({ role, text }) => [role, text])).toEqual([
      ['system', expect.any(String)],
      ['agent', 'Answer to poison'],
    ]);
  });
  const { turns } = await settled('sent', 'sent');
  expect(turns).toMatchObject([{ state: 'done', attempt: 1, error_code: null }]);
  expect(await letters('list')).toEqual([]);
  expect(await letters('replay', { ids: [letter?.id ?? ''] })).toEqual([]);
});

test('a delivery that failed is replayed when its platform takes it again', async () => {
  const { visitor, platform, letters, settled } = await aService();
  platform.refuseNext({ status: 400 });
  await visitor.send('whole');
  await settled('failed');
  const [letter] = await letters('list');
  expect(letter).toMatchObject({ kind: 'delivery', code: 'gateway_message_refused', attempts: 1 });

  expect(await letters('replay', { ids: [letter?.id ?? ''] })).toHaveLength(1);
  await settled('sent');
  expect(platform.posts.map(({ texts }) => texts.at(-1))).toEqual(['Whole']);
});

test('what is purged is gone from the list, and nothing else of it', async () => {
  const { visitor, letters, rows } = await aService();
  await visitor.answerTo(await visitor.send('poison'));
  const [letter] = await letters('list');

  expect(await letters('purge', { code: 'broken' })).toMatchObject([{ id: letter?.id }]);
  expect(await letters('list')).toEqual([]);
  expect(await letters('purge', { code: 'broken' })).toEqual([]);
  expect(await letters('replay', { ids: [letter?.id ?? ''] })).toEqual([]);
  expect((await rows()).turns).toMatchObject([{ state: 'dead', error_code: 'broken' }]);
  expect(await visitor.history()).toHaveLength(2);
});

test('nobody’s, and another tenant’s, are not found', async () => {
  const { ask, show } = await aService();
  const nobodys = 'trn_00000000000000000000000000000000';
  await expect(show(nobodys, false)).rejects.toMatchObject({ code: 'no_such_dead_letter' });
  await expect(show('msg_1', false)).rejects.toMatchObject({ code: 'no_such_dead_letter' });
  await expect(ask({ tenant: 'nobody', act: 'list', choice: { limit: 1 } })).rejects.toMatchObject({
    code: 'unknown_tenant',
  });
});
