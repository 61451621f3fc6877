import { expect, test } from 'vitest';
import { aTurn, listenTo } from '../../test/support/a-turn.ts';
import type { KnowledgeSearch } from './agent.ts';
import { createAgents } from './create-agents.ts';

const knowledge: KnowledgeSearch = { search: async () => ({ stems: [], passageCount: 0, passages: [] }) };
const models = {
  open: (name: string) => ({
    name,
    async *stream() {
      yield { kind: 'text' as const, delta: `I am ${name}.` };
      yield { kind: 'done' as const, finishReason: 'stop' as const, usage: {} };
    },
  }),
};
const agents = createAgents({ models, knowledge });
const signal = new AbortController().signal;

test('the echo answers with the very text that it was sent, in pieces', async () => {
  const text = '  Hello\n\n**world**, how are you doing today? 👋 ';

  const { deltas, answer } = await listenTo(agents.reply(aTurn(text, { model: 'builtin/echo' }), signal));

  expect(answer).toEqual({ kind: 'done', text, sources: [], usage: {}, model: 'builtin/echo' });
  expect(deltas.join('')).toBe(text);
  expect(deltas.length).toBeGreaterThan(1);
});

test.each([
  ['builtin/answers', 'There are no documents'],
  ['openai/gpt-5', 'I am openai/gpt-5.'],
  ['compatible/llama3', 'I am compatible/llama3.'],
])('a turn of %s goes to it', async (model, text) => {
  const { answer } = await listenTo(agents.reply(aTurn('What is this about?', { model }), signal));

  expect(answer.text).toContain(text);
  expect(answer.model).toBe(model);
});

test('a built-in agent that does not exist is a matter of configuration', async () => {
  const reply = listenTo(agents.reply(aTurn('hello', { model: 'builtin/oracle' }), signal));

  await expect(reply).rejects.toMatchObject({ code: 'model_not_configured', retry: 'never' });
});

test.each(['builtin/echo', 'builtin/answers', 'openai/gpt-5'])(
  '%s does not begin when the signal is aborted',
  async (model) => {
    const reason = new Error('too late');

    await expect(listenTo(agents.reply(aTurn('hello', { model }), AbortSignal.abort(reason)))).rejects.toBe(
      reason,
    );
  },
);
