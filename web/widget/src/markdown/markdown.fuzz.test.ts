import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './blocks.ts';
import type { Block, Inline } from './nodes.ts';
import { shownText } from './shown-text.ts';

const words = ['bee', 'hive', 'swarm', 'gate', 'wax', 'über', '蜂蜜', 'عسل', '🐝'];
const marks = [
  '*',
  '**',
  '***',
  '_',
  '__',
  '~~',
  '`',
  '``',
  '[',
  ']',
  '!',
  '\\',
  '|',
  '>',
  '#',
  '- ',
  '+ ',
  '1. ',
];
const lines = [
  '\n',
  '\n\n',
  ' ',
  '  ',
  '    ',
  '\t',
  '\r\n',
  '\n- ',
  '\n> ',
  '\n| ',
  '\n|--|--|\n',
  '\n---\n',
  '\n# ',
];
const dangers = [
  '](',
  ')',
  '(',
  '<',
  '```',
  '~~~',
  '&#106;',
  'https://x.example/',
  'javascript:alert(1)',
  'data:text/html,',
];
const markup = (parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 80 }).map((list) => list.join(''));
// The word after a code fence names its language and is not shown: no fences here.
const harmless = markup([...words, ...marks, ...lines]).map((text) => text.replace(/([`~])\1{2,}/g, '$1$1'));
const hostile = fc.oneof(
  markup([...words, ...marks, ...lines, ...dangers]),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

describe('whatever a model writes', () => {
  test('reading it never fails, finished or not', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (source, unfinished) => {
        expect(Array.isArray(parseMarkdown(source, { unfinished }))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('links lead only to web and mail addresses', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (source, unfinished) => {
        for (const href of hrefsOf(parseMarkdown(source, { unfinished }))) {
          expect(href).toMatch(/^(https?:\/\/|mailto:)/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('every letter of it is shown, in order', () => {
    fc.assert(
      fc.property(harmless, (source) => {
        expect(lettersOf(shownText(parseMarkdown(source)))).toBe(lettersOf(source));
      }),
      { numRuns: 2_000 },
    );
  });

  test('nothing is shown that was not written', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (source, unfinished) => {
        expect(isSubsequence(lettersOf(shownText(parseMarkdown(source, { unfinished }))), source)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

const size = 100_000;
const fill = (part: string, length: number) => part.repeat(Math.ceil(length / part.length)).slice(0, length);
const traps: Record<string, (length: number) => string> = {
  'openers without an end': (length) => fill('*a ', length),
  'openers of three kinds': (length) => fill('*a _b ~~c ', length),
  'pairs nested without end': (length) => fill('*_', length / 2) + fill('_*', length / 2),
  'one long run on each side': (length) => `${fill('*', length / 2)}a${fill('*', length / 2)}`,
  brackets: (length) => fill('[', length),
  'links without an end': (length) => fill('[](', length),
  'brackets, then destinations': (length) => fill('[', length / 2) + fill('](', length / 2),
  'links in links': (length) => fill('[a](http://b.example ', length),
  'backtick runs of all lengths': (length) =>
    Array.from({ length: Math.sqrt(2 * length) }, (_, at) => '`'.repeat(at + 1)).join(' '),
  'angle brackets': (length) => fill('<http://', length),
  'one address': (length) => `http://${fill('a(', length)}`,
  'quotes in quotes': (length) => fill('> ', length),
  'lists in lists': (length) =>
    Array.from({ length: Math.sqrt(2 * length) }, (_, at) => `${' '.repeat(at)}- a`).join('\n'),
  'many items': (length) => fill('- a\n', length),
  'items and blank lines': (length) => fill('- a\n\n\n', length),
  'a wide header over short rows': (length) =>
    `${fill('|a', length / 3)}\n${fill('|-', length / 3)}|\n${fill('|x\n', length / 3)}`,
  'tables that never begin': (length) => fill('|a|b\n|-\n', length),
  'rules that are none': (length) => `${fill('- ', length)}x`,
  'a heading of hashes': (length) => fill('# ', length),
  'spaces before a word': (length) => `${fill(' ', length)}a`,
  'tabs before a word': (length) => `${fill('\t', length)}a`,
  'fences without an end': (length) => fill('```a\n~~~\n', length),
  'nothing but line ends': (length) => fill('\n', length),
  escapes: (length) => fill('\\*', length),
};

describe('100 KB made to be slow', () => {
  test.each(Object.entries(traps))(
    '%s: the work grows with the length, not with its square',
    (_name, trap) => {
      for (const unfinished of [false, true]) {
        const short = countWork(trap(size / 4), unfinished);
        const whole = countWork(trap(size), unfinished);
        // Four times the text: linear work is 4 times as much, quadratic work 16 times.
        expect(whole).toBeLessThan(short * 8);
        expect(whole).toBeLessThan(size * 64);
      }
    },
  );

  test.each(Object.entries(traps))(
    '%s: what comes out is shallow and no larger than what went in',
    (_name, trap) => {
      const source = trap(size);
      for (const unfinished of [false, true]) {
        const blocks = parseMarkdown(source, { unfinished });
        const { count, depth } = measure(blocks);
        expect(depth).toBeLessThan(60);
        expect(count).toBeLessThan(source.length * 2);
        expect(shownText(blocks).length).toBeLessThan(source.length * 2);
      }
    },
  );
});

/** Counts the characters that the parser looks at, one by one or by a pattern. A spy of vitest would keep every call. */
function countWork(source: string, unfinished: boolean): number {
  let work = 0;
  const { charAt, charCodeAt } = String.prototype;
  const { exec } = RegExp.prototype;
  String.prototype.charAt = function (at) {
    work += 1;
    return charAt.call(this, at);
  };
  String.prototype.charCodeAt = function (at) {
    work += 1;
    return charCodeAt.call(this, at);
  };
  RegExp.prototype.exec = function (text) {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const match = exec.call(this, text);
    const missed = this.sticky ? 1 : text.length - from;
    work += match ? match.index + match[0].length - from : missed;
    return match;
  };
  try {
    parseMarkdown(source, { unfinished });
  } finally {
    Object.assign(String.prototype, { charAt, charCodeAt });
    Object.assign(RegExp.prototype, { exec });
  }
  return work;
}

type Node = Block | Inline;

function childrenOf(node: Node): Node[] {
  if (typeof node === 'string') return [];
  if (node.kind === 'quote') return node.blocks;
  if (node.kind === 'list') return node.items.flat();
  if (node.kind === 'table') return [...node.header.flat(), ...node.rows.flat(2)];
  return 'children' in node ? node.children : [];
}

function measure(nodes: readonly Node[]): { count: number; depth: number } {
  let count = nodes.length;
  let depth = 0;
  for (const node of nodes) {
    const inner = measure(childrenOf(node));
    count += inner.count;
    depth = Math.max(depth, inner.depth + 1);
  }
  return { count, depth };
}

function hrefsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => [
    ...(typeof node !== 'string' && node.kind === 'link' ? [node.href] : []),
    ...hrefsOf(childrenOf(node)),
  ]);
}

function lettersOf(text: string): string {
  return text.replace(/[^\p{L}\p{Extended_Pictographic}]/gu, '');
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const character of whole)
    if (character === part.at(at) || part.startsWith(character, at)) at += character.length;
  return at >= part.length;
}
