import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './blocks.ts';

const paragraph = (...children: unknown[]) => ({ kind: 'paragraph', children });
const list = (...items: unknown[]) => ({ kind: 'list', ordered: false, start: 1, items });
const ordered = (start: number, ...items: unknown[]) => ({ kind: 'list', ordered: true, start, items });

describe('paragraphs and headings', () => {
  test('a blank line ends a paragraph, a line end is a line break', () => {
    expect(parseMarkdown('one\ntwo\n\nthree')).toEqual([
      paragraph('one', { kind: 'break' }, 'two'),
      paragraph('three'),
    ]);
  });

  test('Windows line ends mean the same', () => {
    expect(parseMarkdown('one\r\n\r\ntwo')).toEqual([paragraph('one'), paragraph('two')]);
  });

  test('a heading has one to six hashes and a space', () => {
    expect(parseMarkdown('## Title ##\n####### seven\n#tag')).toEqual([
      { kind: 'heading', level: 2, children: ['Title'] },
      paragraph('####### seven', { kind: 'break' }, '#tag'),
    ]);
  });

  test('the hash of a name stays', () => {
    expect(parseMarkdown('# About C#')).toEqual([{ kind: 'heading', level: 1, children: ['About C#'] }]);
  });

  test('three dashes, stars or underscores are a rule', () => {
    expect(parseMarkdown('---\n* * *\n___')).toEqual([{ kind: 'rule' }, { kind: 'rule' }, { kind: 'rule' }]);
  });
});

describe('lists', () => {
  test('two spaces nest a list, whatever the marker', () => {
    expect(parseMarkdown('- a\n  * b\n    1. c\n- d')).toEqual([
      list([paragraph('a'), list([paragraph('b'), ordered(1, [paragraph('c')])])], [paragraph('d')]),
    ]);
  });

  test('a list under a numbered item needs two spaces, as models write it', () => {
    expect(parseMarkdown('1. a\n  - b\n2. c')).toEqual([
      ordered(1, [paragraph('a'), list([paragraph('b')])], [paragraph('c')]),
    ]);
  });

  test('a numbered list keeps the number it begins with', () => {
    expect(parseMarkdown('7. seven\n8) eight')).toEqual([
      ordered(7, [paragraph('seven')], [paragraph('eight')]),
    ]);
  });

  test('blank lines between items do not end the list', () => {
    expect(parseMarkdown('- a\n\n- b')).toEqual([list([paragraph('a')], [paragraph('b')])]);
  });

  test('an item holds paragraphs and code', () => {
    expect(parseMarkdown('- a\n\n  more\n  ```sh\n  ls\n\n  pwd\n  ```\n- b')).toEqual([
      list(
        [paragraph('a'), paragraph('more'), { kind: 'code', language: 'sh', text: 'ls\n\npwd' }],
        [paragraph('b')],
      ),
    ]);
  });

  test('text after a blank line that is not indented stands outside', () => {
    expect(parseMarkdown('- a\nstill a\n\nafter')).toEqual([
      list([paragraph('a', { kind: 'break' }, 'still a')]),
      paragraph('after'),
    ]);
  });

  test('a year at the start of a line is no list', () => {
    expect(parseMarkdown('It began in\n2024. Then')).toEqual([
      paragraph('It began in', { kind: 'break' }, '2024. Then'),
    ]);
  });

  test('bullets and numbers are two lists', () => {
    expect(parseMarkdown('- a\n1. b')).toEqual([list([paragraph('a')]), ordered(1, [paragraph('b')])]);
  });
});

describe('code, quotes and tables', () => {
  test('nothing inside a fence is markdown, and it ends with a fence as long as its own', () => {
    expect(parseMarkdown('````md\n# *x*\n```\n````\nafter')).toEqual([
      { kind: 'code', language: 'md', text: '# *x*\n```' },
      paragraph('after'),
    ]);
  });

  test('a fence that never closes runs to the end', () => {
    expect(parseMarkdown('~~~\na\nb')).toEqual([{ kind: 'code', language: '', text: 'a\nb' }]);
  });

  test('a quote holds blocks, quotes too', () => {
    expect(parseMarkdown('> a\n> > b\n> - c')).toEqual([
      {
        kind: 'quote',
        blocks: [paragraph('a'), { kind: 'quote', blocks: [paragraph('b')] }, list([paragraph('c')])],
      },
    ]);
  });

  test('a table has a header, alignments and rows', () => {
    expect(
      parseMarkdown('| Name | *Size* | Note |\n|:--|--:|:-:|\n| a \\| b | 1 |\n| c | 2 | x | y |'),
    ).toEqual([
      {
        kind: 'table',
        alignments: ['start', 'end', 'center'],
        header: [['Name'], [{ kind: 'emphasis', children: ['Size'] }], ['Note']],
        rows: [
          [['a | b'], ['1']],
          [['c'], ['2'], ['x'], ['y']],
        ],
      },
    ]);
  });

  test('a line with bars but without a delimiter row is text', () => {
    expect(parseMarkdown('a | b\nc | d')).toEqual([paragraph('a | b', { kind: 'break' }, 'c | d')]);
  });

  test('a delimiter row that does not fit the header makes no table', () => {
    expect(parseMarkdown('| a | b |\n|---|')).toMatchObject([{ kind: 'paragraph' }]);
  });
});
