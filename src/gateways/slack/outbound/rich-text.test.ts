import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusters, someMarkdown } from '../../../../test/support/some-markdown.ts';
import { parseMarkdown } from '../../markdown/parse-markdown.ts';
import { renderPlainText } from '../../markdown/plain-text.ts';
import { renderRichText, slackParts } from './rich-text.ts';
import type { RichTextBlock, RichTextPart } from './rich-text-elements.ts';

function partsOf(markdown: string): RichTextPart[] {
  return renderRichText(parseMarkdown(markdown)).blocks.flatMap(({ elements }) => elements);
}

const text = (value: string, style?: object) => ({ type: 'text', text: value, ...(style && { style }) });
const section = (...elements: object[]) => ({ type: 'rich_text_section', elements });
const preformatted = (value: string) => ({ type: 'rich_text_preformatted', elements: [text(value)] });
const list = (style: 'bullet' | 'ordered', indent: number, items: string[], more: object = {}) => ({
  type: 'rich_text_list',
  style,
  indent,
  ...more,
  elements: items.map((item) => section(text(item))),
});

describe('an answer is a rich text', () => {
  test('whose paragraphs stand apart in one section', () => {
    expect(partsOf('One\ntwo  \nthree.\n\nFour.')).toEqual([section(text('One\ntwo\nthree.\n\nFour.'))]);
  });

  test('with styles, also within one another', () => {
    expect(partsOf('**a *b*** ~~c~~ `d` **`e`**')).toEqual([
      section(
        text('a ', { bold: true }),
        text('b', { bold: true, italic: true }),
        text(' '),
        text('c', { strike: true }),
        text(' '),
        text('d', { code: true }),
        text(' '),
        text('e', { bold: true, code: true }),
      ),
    ]);
  });

  test('with bold headings', () => {
    expect(partsOf('# One *two*\n\nThree.')).toEqual([
      section(text('One ', { bold: true }), text('two', { bold: true, italic: true }), text('\n\nThree.')),
    ]);
  });

  test('with links', () => {
    expect(partsOf('[a **b**](https://a.example) https://b.example me@c.example')).toEqual([
      section(
        { type: 'link', url: 'https://a.example', text: 'a ' },
        { type: 'link', url: 'https://a.example', text: 'b', style: { bold: true } },
        text(' '),
        { type: 'link', url: 'https://b.example' },
        text(' '),
        { type: 'link', url: 'mailto:me@c.example', text: 'me@c.example' },
      ),
    ]);
  });

  test.each(['javascript:alert(1)', 'slack://user?id=U1', '/docs', 'http://', 'tel:123'])(
    'without a link to %s, which is shown',
    (url) => {
      expect(partsOf(`[here](${url})`)).toEqual([section(text(`here (${url})`))]);
    },
  );

  test('with images as links', () => {
    expect(partsOf('![A cat](https://a.example/c.png) ![](https://a.example/d.png)')).toEqual([
      section({ type: 'link', url: 'https://a.example/c.png', text: 'A cat' }, text(' '), {
        type: 'link',
        url: 'https://a.example/d.png',
      }),
    ]);
    expect(partsOf('[![Logo](logo.png)](https://a.example)')).toEqual([
      section({ type: 'link', url: 'https://a.example', text: 'Logo' }),
    ]);
  });

  test('with lists in lists', () => {
    expect(partsOf('Two:\n- a\n- b\n  1. c\n- d\n\nEnd.')).toEqual([
      section(text('Two:\n')),
      list('bullet', 0, ['a', 'b']),
      list('ordered', 1, ['c']),
      list('bullet', 0, ['d']),
      section(text('\nEnd.')),
    ]);
  });

  test('with the numbers that the answer gives, also behind something between two items', () => {
    expect(partsOf('3. three\n\n   ```\n   code\n   ```\n4. four')).toEqual([
      list('ordered', 0, ['three'], { offset: 2 }),
      preformatted('code'),
      list('ordered', 0, ['four'], { offset: 3 }),
    ]);
    expect(partsOf('0. zero\n1. one')).toEqual([list('bullet', 0, ['0. zero', '1. one'])]);
  });

  test('with tasks', () => {
    expect(partsOf('- [x] a\n- [ ] b')).toEqual([list('bullet', 0, ['☑ a', '☐ b'])]);
  });

  test('with items that are empty or have paragraphs', () => {
    expect(partsOf('- a\n\n  b\n-\n- c')).toEqual([list('bullet', 0, ['a\n\nb', ' ', 'c'])]);
  });

  test('not deeper than Slack goes', () => {
    const deep = Array.from({ length: 11 }, (_, depth) => `${'  '.repeat(depth)}- a`).join('\n');
    expect(partsOf(deep).map((part) => 'indent' in part && part.indent)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8,
    ]);
  });

  test('with quotes, and a border before what a quote cannot hold', () => {
    expect(partsOf('> a\n>\n> b\n> - c\n>\n> ```\n> d\n> ```')).toEqual([
      { type: 'rich_text_quote', elements: [text('a\n\nb')] },
      list('bullet', 0, ['c'], { border: 1 }),
      { ...preformatted('d'), border: 1 },
    ]);
  });

  test('with code as it is, apart from what is around it', () => {
    expect(partsOf('a\n\n```ts\nif (*b*) {\n\n}\n```\n```\n```\nc')).toEqual([
      section(text('a\n\n')),
      preformatted('if (*b*) {\n\n}'),
      section(text('\n')),
      preformatted(' '),
      section(text('\nc')),
    ]);
  });

  test('with tables whose columns stand in line, counted as a reader sees them', () => {
    expect(partsOf('| Name | Sum |\n|:--|--:|\n| *Ada* | 5 |\n| 日本 | 1234 |\n| 👩‍👩‍👧‍👦 |')).toEqual([
      preformatted(['Name |  Sum', '-----+-----', 'Ada  |    5', '日本 | 1234', '👩‍👩‍👧‍👦'].join('\n')),
    ]);
  });

  test('in which one long cell does not widen every row', () => {
    const [table] = partsOf(`| a | b |\n|---|---|\n| ${'x'.repeat(500)} | 1 |\n| y | 2 |`);
    expect(JSON.stringify(table).length).toBeLessThan(900);
  });

  test('with a line for a thematic break', () => {
    expect(partsOf('a\n\n---\n\nb')).toEqual([section(text('a\n\n———\n\nb'))]);
  });

  test('that has no blocks if there is nothing to show', () => {
    expect(renderRichText(parseMarkdown(''))).toEqual({ text: '', blocks: [] });
  });
});

describe('what looks like markup of Slack’s stays literal', () => {
  test.each(['<!channel>', '<!here|here>', '<@U1>', '<#C1|general>', '<!subteam^S1>', '@here', '@everyone'])(
    '%s',
    (bait) => {
      const rendered = renderRichText(parseMarkdown(`Hello ${bait}!`));
      expect(rendered.blocks).toEqual([{ type: 'rich_text', elements: [section(text(`Hello ${bait}!`))] }]);
      expect(rendered.text).toBe(`Hello ${bait.replace('<', '&lt;').replace('>', '&gt;')}!`);
    },
  );

  test('formats and links of Slack’s own', () => {
    expect(partsOf('\\*x\\* _a~b~_c \\<http://a.example|b> &lt;!channel&gt; :wave:')).toEqual([
      section(text('*x* _a~b~_c <http://a.example|b> <!channel> :wave:')),
    ]);
    expect(partsOf('<http://a.example|b> <http://a.example/x|b>')).toEqual([
      section(text('http://a.example|b '), {
        type: 'link',
        url: 'http://a.example/x%7Cb',
        text: 'http://a.example/x|b',
      }),
    ]);
  });

  test('in code, tables and addresses', () => {
    const baits =
      '`<!here>`\n\n```\n<!here>\n```\n\n| <!here> |\n|---|\n\n[<!here>](https://a.example/<!here>)';
    const { blocks, text: fallback } = renderRichText(parseMarkdown(baits));
    expect(typesIn(blocks)).toEqual(new Set(['text', 'link']));
    expect(fallback).not.toMatch(/[<>]/);
  });
});

describe('whatever an agent writes', () => {
  /** Several times what is drawn, so that it is longer than a message. */
  const longMarkdown = fc
    .tuple(someMarkdown(), fc.integer({ min: 1, max: 12 }))
    .map(([markdown, times]) => Array.from({ length: times }, () => markdown).join('\n\n'));

  test('each message is within Slack’s limits and has a text', () => {
    fc.assert(
      fc.property(longMarkdown, (markdown) => {
        for (const part of slackParts(markdown)) {
          expect(part.text.length).toBeLessThanOrEqual(3_900);
          expect(JSON.stringify(part.blocks).length).toBeLessThanOrEqual(12_000);
          expect(part.text.trim()).not.toBe('');
          expect(part.blocks).toHaveLength(1);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('nobody is mentioned, and no element is one that Slack refuses', () => {
    fc.assert(
      fc.property(longMarkdown, (markdown) => {
        for (const part of slackParts(markdown)) {
          for (const type of typesIn(part.blocks)) expect(['text', 'link']).toContain(type);
          expect(part.text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
          expect(textsIn(part.blocks)).not.toContain('');
        }
      }),
      { numRuns: 15 },
    );
  });

  test('blocks and text show every emoji and word of it', () => {
    fc.assert(
      fc.property(longMarkdown, (markdown) => {
        const whole = seen([renderPlainText(parseMarkdown(markdown))]);
        const parts = slackParts(markdown);
        expect(seen(parts.flatMap(({ blocks }) => textsIn(blocks)))).toEqual(whole);
        expect(seen(parts.map((part) => part.text))).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });
});

test('an answer with much code arrives whole, its lines in order', () => {
  const lines = Array.from({ length: 450 }, (_, at) => `  console.assert(${at} < "&");`);
  const answer = `Here:\n\n\`\`\`js\n${lines.join('\n')}\n\`\`\`\n\nDone.`;
  expect(answer.length).toBeGreaterThan(12_000);
  const parts = slackParts(answer);
  const code = parts
    .flatMap(({ blocks }) => blocks.flatMap(({ elements }) => elements))
    .filter(({ type }) => type === 'rich_text_preformatted');
  expect(code.flatMap((part) => textsIn([{ type: 'rich_text', elements: [part] }])).join('\n')).toBe(
    lines.join('\n'),
  );
});

test('many short styled words fill the blocks before the text', () => {
  const parts = slackParts('**a** *b* '.repeat(400));
  expect(parts.length).toBeGreaterThan(2);
  for (const { blocks } of parts) expect(JSON.stringify(blocks).length).toBeLessThanOrEqual(12_000);
});

test.each(['', ' \n', '#', '&nbsp;'])(
  '%j shows nothing, and gives a message that can be sent',
  (markdown) => {
    expect(slackParts(markdown)).toEqual([
      { text: '…', blocks: [{ type: 'rich_text', elements: [section(text('…'))] }] },
    ]);
  },
);

function leavesIn(blocks: readonly RichTextBlock[]) {
  return blocks
    .flatMap(({ elements }) => elements)
    .flatMap((part) =>
      part.type === 'rich_text_list' ? part.elements.flatMap(({ elements }) => elements) : part.elements,
    );
}

function typesIn(blocks: readonly RichTextBlock[]): Set<string> {
  return new Set(leavesIn(blocks).map(({ type }) => type));
}

function textsIn(blocks: readonly RichTextBlock[]): string[] {
  return leavesIn(blocks).map((leaf) => leaf.text ?? (leaf.type === 'link' ? leaf.url : ''));
}

/** How often each cluster is there, whole. */
function seen(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const each of texts) {
    for (const { segment } of segmenter.segment(each))
      if (clusters.includes(segment)) counts[segment] = (counts[segment] ?? 0) + 1;
  }
  return counts;
}
