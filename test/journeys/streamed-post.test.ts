import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { AgentEvent } from '#agents/agent.ts';
import { ModelError } from '#models/model.ts';
import { done, say } from '../fakes/scripted-agent.ts';
import { sharedPostingService } from '../support/a-posting-service.ts';
import { eventually } from '../support/eventually.ts';

const begin = sharedPostingService();

/** Pieces far enough from each other that each one is shown. */
async function* saySlowly(...pieces: string[]): AsyncGenerator<AgentEvent> {
  for (const delta of pieces) {
    yield { kind: 'text', delta };
    await sleep(100);
  }
  yield done(pieces.join(''));
}

test('an answer grows in one post, known to the database before the platform hears of it', async () => {
  const { rows, platform, visitor, settled } = await begin(() => saySlowly('One, ', 'two, ', 'three.'));
  const atCall: unknown[] = [];
  platform.onCall(async ({ kind }) => {
    const { messages, deliveries } = await rows();
    atCall.push({
      kind,
      states: [messages.at(-1)?.state, deliveries[0]?.state],
      externalIds: deliveries[0]?.external_ids,
    });
  });

  await visitor.send('Count');
  const { messages, deliveries } = await settled('sent');

  expect(atCall[0]).toEqual({ kind: 'post', states: ['draft', 'streaming'], externalIds: [] });
  expect(atCall[1]).toEqual({ kind: 'edit', states: ['draft', 'streaming'], externalIds: ['post-1'] });
  expect(atCall.at(-1)).toEqual({ kind: 'edit', states: ['final', 'sending'], externalIds: ['post-1'] });
  expect(platform.posts).toHaveLength(1);
  expect(platform.posts[0]?.texts[0]).toBe('One, ');
  expect(platform.posts[0]?.texts.at(-1)).toBe('One, two, three.');
  expect(deliveries[0]?.external_ids).toEqual(['post-1']);
  expect(messages.map(({ role, text }) => [role, text])).toEqual([
    ['visitor', 'Count'],
    ['agent', 'One, two, three.'],
  ]);
});

test('an answer is not shown while it is written as long as an earlier one is not out', async () => {
  const { platform, visitor, settled } = await begin(({ message }) =>
    message.text === 'First' ? say('One.') : saySlowly('Two, ', 'and ', 'more.'),
  );
  platform.refuseNext({ status: 503 });

  await visitor.send('First');
  await visitor.send('Second');
  await settled('sent', 'sent');

  expect(platform.posts.map(({ texts }) => texts)).toEqual([['One.'], ['Two, and more.']]);
});

test('a draft is not part of the transcript yet', async () => {
  const gate = Promise.withResolvers<void>();
  const { platform, visitor } = await begin(async function* () {
    yield { kind: 'text', delta: 'Not ' };
    await gate.promise;
    yield { kind: 'text', delta: 'yet.' };
    yield done('Not yet.');
  });
  const page = await visitor.listen();

  const sent = await visitor.send('Ready?');
  await eventually(() => expect(platform.posts).toHaveLength(1));
  expect(await visitor.history()).toHaveLength(1);
  gate.resolve();

  expect(await visitor.answerTo(sent)).toMatchObject({ text: 'Not yet.', sequence: 2 });
  expect(page.messages().filter(({ role }) => role === 'agent').length).toBeLessThanOrEqual(1);
});

test.each([1, 2, 3])(
  'the final text arrives although the platform failed %i times while it was written',
  async (failures) => {
    const { platform, visitor, settled } = await begin(() => saySlowly('One, ', 'two, ', 'three.'));
    platform.refuseNext(...Array.from({ length: failures }, () => ({ status: 503 }) as const));

    await visitor.send('Count');
    await settled('sent');

    expect(platform.posts).toHaveLength(1);
    expect(platform.posts[0]?.texts.at(-1)).toBe('One, two, three.');
  },
);

test('a second attempt at an answer goes on in the post of the first', async () => {
  const { platform, visitor, settled, turns } = await begin(async function* () {
    yield { kind: 'text', delta: 'First try' };
    if (turns.length > 1) return yield* say('Second try');
    await eventually(() => expect(platform.posts).toHaveLength(1));
    throw new ModelError('interrupted', 'The connection broke.');
  });

  await visitor.send('Try');
  const { messages, turns: turnRows } = await settled('sent');

  expect(platform.posts.map(({ texts }) => texts.at(-1))).toEqual(['Second try']);
  expect(messages).toHaveLength(2);
  expect(turnRows.map(({ state, attempt }) => [state, attempt])).toEqual([['done', 2]]);
});

test('a post that was begun says so when its answer never comes', async () => {
  const { platform, visitor, settled } = await begin(async function* () {
    yield { kind: 'text', delta: 'I think' };
    await eventually(() => expect(platform.posts).toHaveLength(1));
    throw new ModelError('filtered', 'The provider withheld it.');
  });

  await visitor.send('Say something bad');
  const { messages } = await settled('sent');

  expect(platform.posts).toHaveLength(1);
  expect(platform.posts[0]?.texts.at(-1)).toMatch(/withheld the answer/);
  expect(messages.map(({ role, state }) => [role, state])).toEqual([
    ['visitor', 'final'],
    ['system', 'final'],
  ]);
});
