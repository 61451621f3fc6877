import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBareLink, textOf } from '../../markdown/document.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import { renderPlainText } from '../../markdown/plain-text.ts';
import { renderTeamsMarkdown, teamsParts } from './teams-markdown.ts';

const render = (markdown: string) => renderTeamsMarkdown(parseMarkdown(markdown));

describe('an answer in the Markdown of Teams', () => {
  test.each([
    ['**bold** and _italic_ and ~~gone~~ and `code`', '**bold** and _italic_ and ~~gone~~ and `code`'],
    ['# A heading\n\nText', '**A heading**\n\nText'],
    ['# **Loud** heading', '**Loud heading**'],
    ['- one\n- two\n  1. deep\n  2. deeper', '- one\n- two\n  1. deep\n  2. deeper'],
    ['3. three\n4. four', '3. three\n4. four'],
    ['- [x] done\n- [ ] open', '- ☑ done\n- ☐ open'],
    ['> quoted\n>\n> twice', '> quoted\n>\n> twice'],
    ['```ts\nconst a = 1 < 2;\n```', '```ts\nconst a = 1 < 2;\n```'],
    ['````\n```\n````', '````\n```\n````'],
    ['| a | b |\n|---|--:|\n| 1 | 22 |\n| 333 | 4 |', '```\na     b\n1    22\n333   4\n```'],
    ['[a link](https://a.example/x)', '[a link](https://a.example/x)'],
    ['[a (link)](<https://a.example/(x)>)', '[a (link)](https://a.example/%28x%29)'],
    ['![a picture](https://a.example/p.png)', '[a picture](https://a.example/p.png)'],
    ['[no](javascript:alert(1))', 'no'],
    ['[no](data:text/html,x)', 'no'],
    ['one  \ntwo', 'one  \ntwo'],
    ['---', '---'],
    ['`a` b`', '`a` b\\`'],
  ])('%j', (markdown, expected) => {
    expect(render(markdown)).toBe(expected);
  });

  test.each([
    ['<at>Ann</at>', '&lt;at&gt;Ann&lt;/at&gt;'],
    ['a & b &lt; c', 'a &amp; b &lt; c'],
    ['5 \\* 3 \\_x\\_ \\[y\\](z)', '5 \\* 3 \\_x\\_ \\[y\\](z)'],
    ['\\# no heading', '\\# no heading'],
    ['1\\. no list', '1\\. no list'],
    ['\\- no list', '\\- no list'],
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ])('%j is only a text', (markdown, expected) => {
    expect(render(markdown)).toBe(expected);
  });
});

const root = (value: string) => ({
  type: 'root' as const,
  children: [{ type: 'paragraph' as const, children: [{ type: 'text' as const, value }] }],
});

test('whatever a text holds, read as Markdown again it is that text and nothing else', () => {
  const signs = fc.constantFrom(...'\\`*_~[]()<>&#+-.!|=:/@"\' 1a\n'.split(''), 'at', 'b', '&lt;');
  const texts = fc.array(signs, { minLength: 1, maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (given) => {
      // Blank lines and blanks around lines are no text of a paragraph.
      const text = given.replaceAll(/\s*\n\s*/g, '\n').trim();
      fc.pre(text !== '' && !text.includes('\n\n'));
      const read = parseMarkdown(renderTeamsMarkdown(root(text)));
      expect(read.children.map(({ type }) => type)).toEqual(['paragraph']);
      const [paragraph] = read.children;
      if (paragraph?.type !== 'paragraph') throw new Error('That is no paragraph.');
      // An address that stands there as it is may be read as one.
      const marks = paragraph.children.filter((node) => node.type !== 'link' || !isBareLink(node));
      const kinds = new Set(marks.map(({ type }) => type));
      kinds.delete('text');
      kinds.delete('break');
      expect([...kinds]).toEqual([]);
      expect(textOf(paragraph.children).replaceAll(/[ ]*\n/g, '\n')).toBe(text);
    }),
    { numRuns: 2_000, examples: [['a\n:-\nb'], ['a\n:-:'], ['1@.at\\']] },
  );
});

test('a long answer is split within the bound, and says everything', () => {
  const markdown = Array.from(
    { length: 400 },
    (_, n) => `Paragraph ${n} with *some* \`code\` <and> marks.`,
  ).join('\n\n');
  const parts = teamsParts(parseMarkdown(markdown), 3_000);
  expect(parts.length).toBeGreaterThan(5);
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(3_000);
  const words = (text: string) => text.split(/\s+/).filter(Boolean);
  const read = parts.map((part) => renderPlainText(parseMarkdown(part))).join(' ');
  expect(words(read)).toEqual(words(renderPlainText(parseMarkdown(markdown))));
});

test('an answer that shows nothing is one that says so', () => {
  expect(teamsParts(parseMarkdown(''), 100)).toEqual(['…']);
  expect(teamsParts(parseMarkdown('<!-- -->'), 100)).toHaveLength(1);
});
