import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './parse-markdown.ts';
import { isPlainProse } from './plain-prose.ts';
import { toDocument } from './to-document.ts';

const parsed = (text: string) =>
  toDocument(
    fromMarkdown(text, { extensions: [gfm({ singleTilde: false })], mdastExtensions: [gfmFromMarkdown()] }),
    text.length,
  );

describe('what counts as plain prose', () => {
  test.each([
    'Yes.',
    'You said: could you tell me when it arrives?',
    'First line,\nsecond line.\n\nAnother paragraph – with 20 % more (and "quotes").',
    'Größe 3, naïve café; Ελληνικά/кириллица: 日本語。'.replace('。', '.'),
  ])('is %j', (text) => {
    expect(isPlainProse(text)).toBe(true);
    expect(parseMarkdown(text)).toEqual(parsed(text));
  });

  test.each([
    '',
    '1. one',
    '- one',
    'a *b*',
    'a_b',
    '`a`',
    '# a',
    'see www.a.example',
    'see https://a.example',
    'a@b.example',
    'a  \nb',
    'a\n  b',
    'a\n---',
    'a &amp; b',
    'a | b\n--|--',
    'a\\*b',
    '[a]',
    'a\n\n\nb',
    'a\n',
  ])('is not %j', (text) => {
    expect(isPlainProse(text)).toBe(false);
  });
});

test('is read as the parser reads it, whatever it is made of', () => {
  const piece = fc.constantFrom(
    ...[
      ' ',
      '\n',
      '\n\n',
      'a',
      'Ä',
      '7',
      '.',
      ',',
      ':',
      '/',
      '-',
      '–',
      '(',
      ')',
      '"',
      '!',
      '?',
      '%',
      '$',
      'www',
      'http',
      "'",
    ],
  );
  let recognised = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
      const text = `A${pieces.join('')}z`;
      if (!isPlainProse(text)) return;
      recognised += 1;
      expect(parseMarkdown(text)).toEqual(parsed(text));
    }),
    { numRuns: 3_000 },
  );
  expect(recognised).toBeGreaterThan(300);
});

test('a long text that is none is found out quickly', () => {
  const text = `${'word '.repeat(20_000)}*`;
  const startedAt = performance.now();
  for (let n = 0; n < 10; n++) expect(isPlainProse(text)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
