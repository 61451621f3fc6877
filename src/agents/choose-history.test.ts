import { expect, test } from 'vitest';
import type { HistoryEntry } from './agent.ts';
import { chooseHistory } from './choose-history.ts';
import { estimateTokens } from './estimate-tokens.ts';

const visitor = (text: string): HistoryEntry => ({ role: 'visitor', text });
const agent = (text: string): HistoryEntry => ({ role: 'agent', text });

test('visitors speak as the user, agents and people as the assistant', () => {
  const history: HistoryEntry[] = [visitor('a'), agent('b'), visitor('c'), { role: 'operator', text: 'd' }];

  expect(chooseHistory(history, 'e', 1_000)).toEqual([
    { role: 'user', text: 'a' },
    { role: 'assistant', text: 'b' },
    { role: 'user', text: 'c' },
    { role: 'assistant', text: 'd' },
    { role: 'user', text: 'e' },
  ]);
});

test('what the system said about itself, and what is empty, is not read by the model', () => {
  const history: HistoryEntry[] = [visitor('a'), { role: 'system', text: 'The model failed.' }, agent(' \n')];

  expect(chooseHistory(history, 'b', 1_000)).toEqual([{ role: 'user', text: 'a\n\nb' }]);
});

test('the visitor speaks first and the roles alternate', () => {
  const history = [agent('Welcome!'), visitor('a'), visitor('b'), agent('c'), agent('d')];

  expect(chooseHistory(history, 'e', 1_000)).toEqual([
    { role: 'user', text: 'a\n\nb' },
    { role: 'assistant', text: 'c\n\nd' },
    { role: 'user', text: 'e' },
  ]);
});

test('the oldest is left out first, and nothing newer than what is left out', () => {
  const history = [visitor('x'.repeat(40)), agent('x'.repeat(4_000)), visitor('recent'), agent('answer')];

  expect(chooseHistory(history, 'now', 100).map(({ text }) => text)).toEqual(['recent', 'answer', 'now']);
});

test('the message to answer goes along however long it is', () => {
  expect(chooseHistory([visitor('a'), agent('b')], 'x'.repeat(9_000), 100)).toEqual([
    { role: 'user', text: 'x'.repeat(9_000) },
  ]);
});

test.each([
  ['English', 'The quick brown fox jumps over the lazy dog.', 11],
  ['Russian', 'Съешь ещё этих мягких французских булок.', 19],
  ['Chinese', '敏捷的棕色狐狸跳过懒狗', 11],
  ['emoji', '👋👋', 4],
  ['nothing', '', 0],
])('the tokens of %s are estimated on the high side', (_, text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});
