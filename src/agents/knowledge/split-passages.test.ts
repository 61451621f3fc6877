import { expect, test } from 'vitest';
import { splitPassages } from './split-passages.ts';

const handbook = `---
tags: [a]
---
# Handbook

Welcome to **Acme**. It is
wrapped<br/> here, at /hooks/<key>. <!-- not for readers -->

## Getting started

Install it:

\`\`\`sh
# not a heading
npm install
\`\`\`

### On [Windows](https://example.com "there")

1. Open a *terminal*
2. Run \`npm * start\`
   and wait

## Getting started

| Variable | Default | Meaning |
|---|---|---|
| \`PORT\` | 3000 | where it \\| listens |
| \`HOST\` |  | the address |

Setext
------
> A quote of two
> lines with snake_case_words & 2 * 3 * 4.

[ref]: https://example.com
`;

test('a document becomes passages under their headings, with the anchors that GitHub gives', () => {
  expect(splitPassages(handbook)).toEqual([
    { heading: '', anchor: 'handbook', text: 'Welcome to Acme. It is wrapped here, at /hooks/<key>.' },
    {
      heading: 'Getting started',
      anchor: 'getting-started',
      text: 'Install it:\n\n```sh\n# not a heading\nnpm install\n```',
    },
    {
      heading: 'Getting started › On Windows',
      anchor: 'on-windows',
      text: '1. Open a terminal\n2. Run `npm * start` and wait',
    },
    {
      heading: 'Getting started',
      anchor: 'getting-started-1',
      text: '- `PORT` (Default: 3000; Meaning: where it | listens)\n- `HOST` (Meaning: the address)',
    },
    { heading: 'Setext', anchor: 'setext', text: 'A quote of two lines with snake_case_words & 2 * 3 * 4.' },
  ]);
});

test.each([
  ['What is `C#`?', 'what-is-c'],
  ['Ünïcode & Straße', 'ünïcode--straße'],
  ['npm_install -- now', 'npm_install----now'],
  ['1.2.3', '123'],
])('the heading %s has the anchor %s', (heading, anchor) => {
  expect(splitPassages(`## ${heading} ##\n\ntext\n`)[0]?.anchor).toBe(anchor);
});

test('a document without headings is one passage without an anchor', () => {
  expect(splitPassages('Just a note.')).toEqual([{ heading: '', anchor: '', text: 'Just a note.' }]);
});

test('a heading without text makes no passage, and an empty document none at all', () => {
  expect(splitPassages('# A\n\n## B\n\n## C\n\nc\n').map(({ heading }) => heading)).toEqual(['C']);
  expect(splitPassages('')).toEqual([]);
});

test('several headings of the first level are sections, not a title', () => {
  const passages = splitPassages('# One\n\na\n\n# Two\n\nb\n');

  expect(passages.map(({ heading }) => heading)).toEqual(['One', 'Two']);
});

test('a long section is cut between paragraphs into passages of about the same length', () => {
  const paragraphs = Array.from(
    { length: 9 },
    (_, index) => `Paragraph ${index} ${'word '.repeat(60).trim()}.`,
  );

  const passages = splitPassages(`## Long\n\n${paragraphs.join('\n\n')}\n`);

  expect(passages).toHaveLength(3);
  for (const { text, anchor } of passages) {
    expect(anchor).toBe('long');
    expect(text.length).toBeGreaterThan(600);
    expect(text.length).toBeLessThanOrEqual(1_200);
  }
  expect(passages.flatMap(({ text }) => text.split('\n\n'))).toEqual(paragraphs);
});

test('a long paragraph is cut between sentences, and no word is lost', () => {
  const sentences = Array.from({ length: 60 }, (_, index) => `Sentence ${index} says e.g. this about v1.2.`);

  const passages = splitPassages(sentences.join(' '));

  expect(passages.length).toBeGreaterThan(1);
  expect(passages.map(({ text }) => text).join(' ')).toBe(sentences.join(' '));
  for (const { text } of passages) expect(text).toMatch(/^Sentence[\s\S]*v1\.2\.$/);
});

test('a long code fence is cut between lines, and each part is a fence again', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `const value${index} = compute(${index});`);

  const passages = splitPassages(`\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`);

  expect(passages.length).toBeGreaterThan(1);
  for (const { text } of passages) expect(text).toMatch(/^```ts\n[\s\S]*\n```$/);
  expect(passages.flatMap(({ text }) => text.split('\n').slice(1, -1))).toEqual(lines);
});

test('no passage is longer than the bound, whatever comes', () => {
  const passages = splitPassages(
    `${'x'.repeat(5_000)}\n\n${'y '.repeat(5_000)}\n\n\`\`\`\n${'z'.repeat(5_000)}\n\`\`\``,
  );

  for (const { text } of passages) expect(text.length).toBeLessThanOrEqual(1_200);
  expect(
    passages
      .map(({ text }) => text)
      .join('')
      .match(/z/g),
  ).toHaveLength(5_000);
});

test.each([
  ['brackets', '['.repeat(200_000)],
  ['stars', '** a '.repeat(50_000)],
  ['backticks', '`a. '.repeat(50_000)],
  ['spaces in a heading', `# ${' '.repeat(200_000)}x`],
  ['hashes', `# ${'#'.repeat(200_000)}x`],
  ['fences', '```\n'.repeat(50_000)],
  ['tables', '|a|\n|-|\n'.repeat(50_000)],
  ['spaces before a table', `|a|\n${' '.repeat(200_000)}|x`],
  ['comments', '<!-- '.repeat(50_000)],
  ['angle brackets', '<a '.repeat(50_000)],
  ['sentences', 'A. '.repeat(50_000)],
])('200,000 characters of %s are read in the time of any other text', (_, markdown) => {
  const startedAt = performance.now();

  splitPassages(markdown);

  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
