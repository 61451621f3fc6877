import { expect, test } from 'vitest';
import { texts } from '#locales/en.ts';
import { aTurn, listenTo } from '../../../test/support/a-turn.ts';
import type { KnowledgeMatches, KnowledgeSearch, Passage } from '../agent.ts';
import { createAnswersAgent } from './answers-agent.ts';

const signal = new AbortController().signal;

const queue: Passage = {
  documentId: 'd1',
  title: 'Handbook',
  heading: 'Configuration › Queue',
  url: 'https://docs.example/handbook',
  anchor: 'queue',
  text: 'Set `REDIS_URL` to use Redis. Without it the queue lives in the database.',
  rank: 0.5,
  matchedStems: ['redi', 'queue'],
};
const scaling: Passage = {
  ...queue,
  heading: 'Scaling',
  anchor: 'scaling',
  url: null,
  text: 'Redis makes the queue faster.',
  rank: 0.4,
};
const stems = [
  { stem: 'redi', passages: 2 },
  { stem: 'queue', passages: 2 },
];

test('the best passage is quoted word for word with its source, the second is mentioned', async () => {
  const { answer, question } = await ask('Hello, what does Redis do for the queue?', {
    stems,
    passages: [queue, scaling],
  });

  expect(question).toBe('what does Redis do for the queue?');
  expect(answer).toMatchObject({
    text: `${queue.text} [1]\n\nAlso relevant: Handbook › Scaling [2]`,
    sources: [
      {
        title: 'Handbook › Configuration › Queue',
        url: 'https://docs.example/handbook#queue',
        quote: 'Set `REDIS_URL` to use Redis.',
      },
      { title: 'Handbook › Scaling', quote: 'Redis makes the queue faster.' },
    ],
    usage: {},
    model: 'builtin/answers',
  });
  expect(answer.sources[1]).not.toHaveProperty('url');
});

test('a mark behind a code fence or a list stands on its own line', async () => {
  const text = 'Do this:\n\n```sh\nnpm start\n```';

  const { answer } = await ask('redis queue', { stems, passages: [{ ...queue, text }] });

  expect(answer.text).toBe(`${text}\n\n[1]`);
});

test('half a match is shown as what comes close, not as the answer', async () => {
  const { answer } = await ask('redis teleport', {
    stems: [
      { stem: 'redi', passages: 2 },
      { stem: 'teleport', passages: 0 },
    ],
    passages: [{ ...queue, matchedStems: ['redi'] }],
  });

  expect(answer.text).toBe(`${texts.answers.notSure}\n\n- Handbook › Configuration › Queue [1]`);
  expect(answer.sources).toHaveLength(1);
});

test('what is not in the documents is not answered, and the closest titles are named', async () => {
  const unknown = ['bake', 'bread'].map((stem) => ({ stem, passages: 0 }));

  const { answer } = await ask('how do I bake bread', {
    stems: [...stems, ...unknown],
    passages: [{ ...queue, matchedStems: ['queue'] }],
  });

  expect(answer.text).toContain(texts.answers.notFound);
  expect(answer.text).toContain('- Handbook › Configuration › Queue');
  expect(answer.text).not.toContain('REDIS_URL');
  expect(answer.sources).toEqual([]);
});

test.each([
  ['no passage matches', { stems, passages: [] }, texts.answers.notFound],
  ['there are no documents', { stems, passages: [], passageCount: 0 }, texts.answers.noDocuments],
  ['the message has no word to look up', { stems: [], passages: [] }, texts.answers.nothingToLookUp],
])('when %s, it says so', async (_, matches, text) => {
  expect((await ask('redis queue', matches)).answer.text).toBe(text);
});

test('a greeting is answered without a search', async () => {
  const { answer, question } = await ask('Hi there!', { stems, passages: [queue] });

  expect(question).toBeUndefined();
  expect(answer.text).toBe(texts.answers.greeting);
});

test('wherever it speaks for itself, it says that it works without a model', () => {
  for (const text of [texts.answers.greeting, texts.answers.help, texts.answers.notFound]) {
    expect(text).toContain('without a language model');
  }
});

test('the answer is streamed in small pieces that make up the whole', async () => {
  const { deltas, answer } = await ask('redis queue', { stems, passages: [queue, scaling] });

  expect(deltas.length).toBeGreaterThan(3);
  expect(deltas.join('')).toBe(answer.text);
});

test('it looks in the tenant of the turn and nowhere else', async () => {
  expect((await ask('redis queue', { stems, passages: [queue] })).tenantId).toBe(aTurn('x').tenantId);
});

test('an abort during the search ends the turn with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('the lease was lost');
  const knowledge: KnowledgeSearch = {
    async search() {
      abort.abort(reason);
      return { stems, passageCount: 9, passages: [queue] };
    },
  };

  await expect(
    listenTo(createAnswersAgent(knowledge).reply(aTurn('redis queue'), abort.signal)),
  ).rejects.toBe(reason);
});

test.each(['what is ', 'hi ', '? ', 'a.b ', '`', '- ', 'x'])(
  '8,000 characters of "%s" are answered in no time',
  async (text) => {
    const startedAt = performance.now();

    await ask(text.repeat(8_000 / text.length), { stems, passages: [queue] });

    expect(performance.now() - startedAt).toBeLessThan(2_000);
  },
);

async function ask(message: string, found: Partial<KnowledgeMatches>) {
  const asked: { tenantId?: string; question?: string } = {};
  const knowledge: KnowledgeSearch = {
    async search(tenantId, question) {
      Object.assign(asked, { tenantId, question });
      return { stems: [], passageCount: 9, passages: [], ...found };
    },
  };
  const turn = aTurn(message, { model: 'builtin/answers' });
  return { ...(await listenTo(createAnswersAgent(knowledge).reply(turn, signal))), ...asked };
}
