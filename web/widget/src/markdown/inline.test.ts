import { describe, expect, test } from 'vitest';
import { parseInline } from './inline.ts';

const strong = (...children: unknown[]) => ({ kind: 'strong', children });
const emphasis = (...children: unknown[]) => ({ kind: 'emphasis', children });
const code = (text: string) => ({ kind: 'code', text });
const link = (href: string, ...children: unknown[]) => ({ kind: 'link', href, children });

describe('emphasis', () => {
  test.each([
    ['*a* _b_', [emphasis('a'), ' ', emphasis('b')]],
    ['**a** __b__', [strong('a'), ' ', strong('b')]],
    ['***a***', [emphasis(strong('a'))]],
    ['**a *b***', [strong('a ', emphasis('b'))]],
    ['*a **b***', [emphasis('a ', strong('b'))]],
    ['~~gone~~', [{ kind: 'strike', children: ['gone'] }]],
    ['**a** b **c**', [strong('a'), ' b ', strong('c')]],
  ])('%s is emphasised', (source, expected) => {
    expect(parseInline(source)).toEqual(expected);
  });

  test.each(['2 * 3 * 4', 'snake_case_name', 'a ** b', '~one~', '**', '*', '**open', '\\*literal\\*'])(
    '%s stays text',
    (source) => {
      expect(parseInline(source)).toEqual([source.replaceAll('\\', '')]);
    },
  );

  test('of two that cross, the one that ends first counts', () => {
    expect(parseInline('*a _b* c_')).toEqual([emphasis('a _b'), ' c_']);
  });
});

describe('code', () => {
  test('marks mean nothing inside', () => {
    expect(parseInline('`*a* [b](http://c.example)`')).toEqual([code('*a* [b](http://c.example)')]);
  });

  test('a longer run holds backticks', () => {
    expect(parseInline('`` `a` ``')).toEqual([code('`a`')]);
  });

  test('a backtick without its end is text', () => {
    expect(parseInline('it`s *a*')).toEqual(['it`s ', emphasis('a')]);
  });
});

describe('links', () => {
  test.each([
    ['[a](https://x.example/b)', link('https://x.example/b', 'a')],
    ['[a *b*](https://x.example)', link('https://x.example/', 'a ', emphasis('b'))],
    ['[a](<https://x.example/b c>)', link('https://x.example/b%20c', 'a')],
    ['[a](https://x.example "title (one)")', link('https://x.example/', 'a')],
    ['[a](https://x.example/b_(c))', link('https://x.example/b_(c)', 'a')],
    ['![a picture](https://x.example/a.png)', link('https://x.example/a.png', 'a picture')],
    ['[mail](mailto:a@x.example)', link('mailto:a@x.example', 'mail')],
    ['<https://x.example>', link('https://x.example/', 'https://x.example')],
    ['<mailto:a@x.example>', link('mailto:a@x.example', 'a@x.example')],
    ['https://x.example/a', link('https://x.example/a', 'https://x.example/a')],
    ['**https://x.example/a**', strong(link('https://x.example/a', 'https://x.example/a'))],
  ])('%s is a link', (source, expected) => {
    expect(parseInline(source)).toEqual([expected]);
  });

  test('the sign at the end of a sentence is not part of an address', () => {
    expect(parseInline('(see https://x.example/a_(b)), ok')).toEqual([
      '(see ',
      link('https://x.example/a_(b)', 'https://x.example/a_(b)'),
      '), ok',
    ]);
  });

  test.each([
    '[a](javascript:alert(1))',
    '[a](JaVaScRiPt:alert(1))',
    '[a](\tjavascript:alert(1))',
    '[a](java&#115;cript:alert(1))',
    '[a](data:text/html,<script>alert(1)</script>)',
    '[a](vbscript:x)',
    '[a](file:///etc/passwd)',
    '[a](//x.example)',
    '[a](/relative)',
    '<javascript:alert(1)>',
    'xhttps://x.example',
    '[a] (https:)',
    '[a](',
    '[a]',
  ])('%s stays text', (source) => {
    expect(parseInline(source)).toEqual([source]);
  });

  test('a control character inside the scheme does not smuggle a script in', () => {
    const parts = parseInline('[a](java\u0001script:alert(1)) [b](\u0000javascript:alert(1))');
    expect(parts.every((part) => typeof part === 'string')).toBe(true);
  });

  test('links do not nest', () => {
    expect(parseInline('[a [b](https://x.example) c](https://y.example)')).toMatchObject([
      '[a ',
      link('https://x.example/', 'b'),
      ' c](',
      { kind: 'link' },
      ')',
    ]);
  });
});

describe('the rest', () => {
  test('HTML is text, only <br> breaks a line', () => {
    expect(parseInline('a<br>b<BR />c <img src=x onerror=alert(1)> <b>')).toEqual([
      'a',
      { kind: 'break' },
      'b',
      { kind: 'break' },
      'c <img src=x onerror=alert(1)> <b>',
    ]);
  });
});
