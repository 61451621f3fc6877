import { expect, test } from 'vitest';
import { chooseQuote, chooseSentence } from './choose-quote.ts';

const filler = 'This sentence is only here to take up a certain amount of room in the text.';
const term = (stem: string, weight = 1) => ({ stem, weight });

test('a short passage is quoted whole', () => {
  const text = 'Run this:\n\n```sh\nnpm start\n```';

  expect(chooseQuote(text, [term('start')])).toBe(text);
});

test('of a long paragraph, the sentence that says most is quoted with what follows it', () => {
  const text =
    `${`${filler} `.repeat(8)}The lease expires after six seconds. ${`${filler} `.repeat(8)}`.trim();

  const quote = chooseQuote(text, [term('leas'), term('expir')]);

  expect(quote).toMatch(/^The lease expires after six seconds\. This sentence/);
  expect(quote.length).toBeLessThan(400);
  expect(text).toContain(quote);
});

test('what a colon announces is quoted along, and so is the announcement', () => {
  const intro = 'Add one script tag to your page:';
  const code = '```html\n<script src="widget.js"></script>\n```';
  const text = [filler.repeat(5), intro, code, filler.repeat(5)].join('\n\n');

  expect(chooseQuote(text, [term('tag')])).toContain(`${intro}\n\n${code}`);
  expect(chooseQuote(text, [term('script'), term('widget')])).toContain(`${intro}\n\n${code}`);
});

test('of a list, the one item that says most is quoted; where several do, they are quoted together', () => {
  const list =
    '- `PORT` (meaning: where it listens)\n- `HOST` (meaning: the address)\n- `PUBLIC_URL` (meaning: what others see)';

  expect(chooseQuote(list, [term('public'), { name: 'public_url', weight: 5 }])).toBe(
    '`PUBLIC_URL` (meaning: what others see)',
  );
  expect(chooseQuote(list, [term('mean')])).toBe(list);
});

test('an item that stands alone is quoted as a sentence', () => {
  expect(chooseQuote(`- The lease ends. ${filler.repeat(7)}`, [term('leas')])).toMatch(/^The lease ends\./);
});

test('a code fence is never cut', () => {
  const code = `\`\`\`ts\n${'const value = compute();\n'.repeat(35)}\`\`\``;

  expect(chooseQuote(`${filler}\n\n${code}`, [term('comput')])).toContain(code);
});

test.each([
  ['reli', 'You can rely on it.'],
  ['happi', 'Everyone is happy now.'],
  ['instal', 'Installation takes a minute.'],
  ['stop', 'It was stopped.'],
  ['migrat', 'Migrations run first.'],
])('the stem %s is found in "%s"', (stem, sentence) => {
  expect(chooseSentence(`${filler} ${sentence} ${filler}`, [term(stem)])).toBe(sentence);
});

test('the sentence that stands for a passage is prose where there is any', () => {
  expect(chooseSentence('```sh\nnpm start\n```\n\nThat is all.', [term('start')])).toBe('That is all.');
  expect(chooseSentence('```sh\nnpm start\n```', [term('start')])).toBe('npm start');
});
