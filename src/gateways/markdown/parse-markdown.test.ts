import { describe, expect, test } from 'vitest';
import { constructsInExcess, lengthMax } from './constructs-in-excess.ts';
import { parseMarkdown } from './parse-markdown.ts';
import { renderPlainText } from './plain-text.ts';

const paragraphs = (markdown: string) => parseMarkdown(markdown).children;
const text = (value: string) => ({ type: 'text', value });

describe('Markdown is read as GitHub does', () => {
  test('with tables, strikethrough, tasks and bare links', () => {
    expect(paragraphs('~~old~~ www.a.example\n\n- [x] done\n\n| a |\n|--:|\n| 1 |')).toEqual([
      {
        type: 'paragraph',
        children: [
          { type: 'delete', children: [text('old')] },
          text(' '),
          { type: 'link', url: 'http://www.a.example', children: [text('www.a.example')] },
        ],
      },
      {
        type: 'list',
        ordered: false,
        children: [
          { type: 'listItem', checked: true, children: [{ type: 'paragraph', children: [text('done')] }] },
        ],
      },
      {
        type: 'table',
        align: ['right'],
        children: [
          { type: 'tableRow', children: [{ type: 'tableCell', children: [text('a')] }] },
          { type: 'tableRow', children: [{ type: 'tableCell', children: [text('1')] }] },
        ],
      },
    ]);
  });

  test('with the language of code and the number of a list', () => {
    expect(paragraphs('```ts\nx\n```\n\n7) seven')).toMatchObject([
      { type: 'code', lang: 'ts', value: 'x' },
      { type: 'list', ordered: true, start: 7 },
    ]);
  });

  test('with ranges, which strike nothing', () => {
    expect(paragraphs('5~10 minutes, 3~4 days')).toEqual([
      { type: 'paragraph', children: [text('5~10 minutes, 3~4 days')] },
    ]);
  });

  test('with line ends of any system', () => {
    expect(paragraphs('a\r\nb\rc')).toEqual([{ type: 'paragraph', children: [text('a\nb\nc')] }]);
  });
});

describe('what chats cannot show becomes what they can', () => {
  test('HTML is text', () => {
    expect(paragraphs('a <b>c</b> <!channel>\n\n<div>\n*x*\n</div>')).toEqual([
      { type: 'paragraph', children: [text('a <b>c</b> <!channel>')] },
      { type: 'paragraph', children: [text('<div>\n*x*\n</div>')] },
    ]);
  });

  test('a reference is the link that it refers to', () => {
    expect(paragraphs('[a][r] ![i][r]\n\n[r]: https://r.example\n[R]: https://second.example')).toEqual([
      {
        type: 'paragraph',
        children: [
          { type: 'link', url: 'https://r.example', children: [text('a')] },
          text(' '),
          { type: 'image', url: 'https://r.example', alt: 'i' },
        ],
      },
      {
        type: 'paragraph',
        children: [
          text('[R]: '),
          { type: 'link', url: 'https://second.example', children: [text('https://second.example')] },
        ],
      },
    ]);
  });

  test('a source that nothing refers to is shown', () => {
    expect(renderPlainText(parseMarkdown('Yes.\n\n[1]: https://a.example/handbook "Handbook"'))).toBe(
      'Yes.\n\n[1]: https://a.example/handbook',
    );
  });

  test('a note keeps its mark', () => {
    expect(renderPlainText(parseMarkdown('So[^n].\n\n[^n]: Because.'))).toBe('So[n].\n\n[n] Because.');
  });

  test('a long address that is referred to a thousand times does not make megabytes', () => {
    const url = `https://a.example/${'x'.repeat(20_000)}`;
    const shown = renderPlainText(parseMarkdown(`${'[a] '.repeat(1_000)}\n\n[a]: ${url}`));
    expect(shown.length).toBeLessThan(200_000);
    expect(shown.match(/\ba\b/g)?.length).toBeGreaterThanOrEqual(1_000);
  });
});

describe('what would take the parser out of its depth is text', () => {
  const filled = (pattern: string, length: number) =>
    pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);

  test.each([
    ['quotes in quotes', '>', 'blockQuote'],
    ['lists in lists', '1. ', 'list'],
    ['quotes after quotes', '>>\n\n', 'blockQuote'],
    ['lists in and out', '  - a\n- b\n', 'list'],
    ['underlined headings', 'a\n===\n', 'setextUnderline'],
    ['emphasis that never ends', '*a_ ', 'attention'],
    ['strong in strong', `${'*'.repeat(5_000)}a`, 'attention'],
    ['brackets', ']', 'labelEnd'],
    ['links that never end', '[a][', 'labelEnd'],
    ['code that never ends', '``\\', 'codeText'],
    ['comments that never end', 'x<!--', 'htmlText'],
  ])('%s', (_, pattern, construct) => {
    const hostile = filled(pattern, 18_000);
    expect(constructsInExcess(hostile)).toContain(construct);
    // That it ends is the promise: without its bound each of these takes seconds to minutes, or throws.
    const shown = renderPlainText(parseMarkdown(hostile));
    expect(shown.replaceAll(/\s/g, '').length).toBeGreaterThan(5_000);
  });

  test('lists that stand further and further in', () => {
    const lines = Array.from({ length: 300 }, (_, depth) => `${'  '.repeat(depth)}- a`);
    expect(constructsInExcess(lines.join('\n'))).toContain('list');
    expect(renderPlainText(parseMarkdown(lines.join('\n'))).match(/a/g)).toHaveLength(300);
  });

  test('styles nested as deep as the bound allows are still shown', () => {
    const nested = `${'*a '.repeat(990)}x${'*'.repeat(990)}`;
    expect(constructsInExcess(nested)).toEqual([]);
    expect(renderPlainText(parseMarkdown(nested))).toBe(`${'a '.repeat(990)}x`);
  });

  test.each([
    ['characters', `*a*\n\n${'b '.repeat(lengthMax / 2)}`],
    ['lines', `*a*\n\n${'b\n'.repeat(15_001)}`],
    ['paragraphs', `*a*\n\n${'b\n\n'.repeat(5_001)}`],
  ])('too many %s', (_, long) => {
    expect(renderPlainText(parseMarkdown(long)).startsWith('*a*\n\nb')).toBe(true);
    expect(solid(renderPlainText(parseMarkdown(long)))).toBe(solid(long));
  });

  test('and an ordinary long answer is not', () => {
    const section =
      '## Step\n\nSome **bold** text with `code`, a [link](https://a.example) and snake_case_names.\n\n' +
      '- one **two**\n  - `three`\n- [four](https://a.example)\n\n> A quote.\n\n' +
      `\`\`\`json\n${'{ "a_b": [1, [2]], "c": "*" },\n'.repeat(20)}\`\`\`\n\n| a | b |\n|---|---|\n| **1** | \`2\` |\n\n`;
    expect(constructsInExcess(section.repeat(60))).toEqual([]);
  });
});

function solid(text: string): string {
  return text.replaceAll(/\s/g, '');
}
