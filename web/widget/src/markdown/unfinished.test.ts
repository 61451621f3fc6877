import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './blocks.ts';
import { shownText } from './shown-text.ts';

/** Answers as models write them. Each is cut at every character, as a stream may cut it. */
const answers = {
  'emphasis and code': 'Use **bold *and italic* text**, `code` and ~~this~~ then ***all***.',
  links:
    'See [the **docs**](https://x.example/a_(b) "Title"), [1], https://x.example/c and <https://y.example>.',
  lists:
    'Steps:\n\n1. First\n   - nested *one*\n   - nested `two`\n2. Second\n\n   more\n10. Tenth\n\n- a\n- b\n  - c',
  code: 'Run:\n\n```sh\nnpm install\n\nnpm start # [x](y\n```\n\nDone. ~~~\n\n1. do\n   ```\n   x\n   ```\n2. end',
  table: 'Prices:\n\n| Name | Price |\n|:-----|------:|\n| *Bee* | 1 |\n| Hive | 2 |\n\nThat is all.',
  'headings, quotes, rules': '# One\n\nText\n\n> quoted **text**\n> > deeper\n\n---\n\n### Three #\n\nEnd',
};

describe.each(Object.entries(answers))('while %s stream in', (_name, answer) => {
  const whole = squeeze(shownText(parseMarkdown(answer)));

  test('no word appears that a later chunk takes back', () => {
    for (let end = 0; end <= answer.length; end += 1) {
      const seen = squeeze(shownText(parseMarkdown(answer.slice(0, end), { unfinished: true })));
      expect(whole.startsWith(seen), `after ${JSON.stringify(answer.slice(0, end))}: ${seen}`).toBe(true);
    }
  });

  test('no more than a link or a marker is held back', () => {
    for (let end = 0; end <= answer.length; end += 1) {
      const cut = answer.slice(0, end);
      const seen = lettersOf(shownText(parseMarkdown(cut, { unfinished: true })));
      const arrived = lettersOf(shownText(parseMarkdown(cut)));
      expect(arrived.length - seen.length, cut).toBeLessThanOrEqual(45);
    }
  });
});

describe('an unfinished text', () => {
  test.each([
    ['**bo', { kind: 'strong', children: ['bo'] }],
    ['**bold*', { kind: 'strong', children: ['bold'] }],
    ['`co', { kind: 'code', text: 'co' }],
  ])('%s shows as what it will be', (source, expected) => {
    expect(parseMarkdown(source, { unfinished: true })).toEqual([
      { kind: 'paragraph', children: [expected] },
    ]);
  });

  test('is a table from its header on', () => {
    expect(parseMarkdown('| a | b |\n|--', { unfinished: true })).toMatchObject([
      { kind: 'table', header: [['a'], ['b']] },
    ]);
  });

  test('does not link an address that may go on', () => {
    const [block] = parseMarkdown('https://x.example/pa', { unfinished: true });
    expect(block).toEqual({ kind: 'paragraph', children: ['https://x.example/pa'] });
  });

  test('leaves an earlier paragraph alone', () => {
    expect(parseMarkdown('2 ** 3\n\nnext', { unfinished: true })[0]).toEqual({
      kind: 'paragraph',
      children: ['2 ** 3'],
    });
  });

  test('gives back what was held back once it is known to be text', () => {
    expect(parseMarkdown('see [1', { unfinished: true })).toEqual([
      { kind: 'paragraph', children: ['see '] },
    ]);
    expect(parseMarkdown('see [1] and', { unfinished: true })).toEqual([
      { kind: 'paragraph', children: ['see [1] and'] },
    ]);
  });
});

function squeeze(text: string): string {
  return text.replace(/\s+/g, '');
}

function lettersOf(text: string): string {
  return text.replace(/[^a-z]/gi, '');
}
