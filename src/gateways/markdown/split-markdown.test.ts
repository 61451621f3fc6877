import { describe, expect, test } from 'vitest';
import { type Root, textOf } from './document.ts';
import { parseMarkdown } from './parse-markdown.ts';
import { renderPlainText } from './plain-text.ts';
import { splitMarkdown } from './split-markdown.ts';

function split(markdown: string, lengthMax: number): Root[] {
  return splitMarkdown(parseMarkdown(markdown), (part) => renderPlainText(part).length <= lengthMax);
}

function texts(markdown: string, lengthMax: number): string[] {
  return split(markdown, lengthMax).map(renderPlainText);
}

describe('an answer is cut', () => {
  test('not at all if it fits', () => {
    const root = parseMarkdown('a\n\nb');
    expect(splitMarkdown(root, () => true)).toEqual([root]);
  });

  test('between paragraphs, even when a piece of the next one would fit', () => {
    expect(texts('One two three.\n\nFour five. Six.', 20)).toEqual(['One two three.', 'Four five. Six.']);
  });

  test('before a heading, which stays with what follows it', () => {
    expect(texts('One two.\n\n# A\n\n## B\n\nThree four five.', 25)).toEqual([
      'One two.',
      'A\n\nB\n\nThree four five.',
    ]);
    expect(texts('# Heading\n\nOne two. Three four.', 25)).toEqual(['Heading\n\nOne two.', 'Three four.']);
  });

  test('between items, and the numbers go on', () => {
    expect(texts('9. nine\n10. ten\n11. eleven\n12. twelve', 22)).toEqual([
      '9. nine\n10. ten',
      '11. eleven\n12. twelve',
    ]);
  });

  test('within an item, which gets no second bullet', () => {
    expect(texts('- one two. three four.\n- five', 14)).toEqual(['• one two.', '  three four.', '• five']);
  });

  test('between nested items, and what they belong to is not said again', () => {
    expect(texts('1. one\n   - two\n   - three\n2. four', 16)).toEqual([
      '1. one\n  • two',
      '  • three',
      '2. four',
    ]);
  });

  test('between rows of a table, whose header is repeated', () => {
    expect(texts('| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |', 18)).toEqual([
      'a | b\n1 | 2\n3 | 4',
      'a | b\n5 | 6',
    ]);
  });

  test('between lines of code, each part in the same language', () => {
    expect(split('```ts\none();\n\ntwo();\nthree();\n```', 15).map(({ children }) => children)).toEqual([
      [{ type: 'code', lang: 'ts', value: 'one();\n\ntwo();' }],
      [{ type: 'code', lang: 'ts', value: 'three();' }],
    ]);
  });

  test('between what a quote is made of, each part a quote', () => {
    expect(texts('> One two.\n>\n> Three four.', 16)).toEqual(['> One two.', '> Three four.']);
  });

  test('between sentences rather than words', () => {
    expect(texts('Two words. Three more words. End.', 25)).toEqual(['Two words.', 'Three more words. End.']);
  });

  test('between words rather than within one', () => {
    expect(texts('several words without any stop', 16)).toEqual(['several words', 'without any stop']);
  });

  test('within a word only if it fits nowhere', () => {
    expect(texts('a abcdefghijkl', 5)).toEqual(['a abc', 'defgh', 'ijkl']);
  });

  test('never within an emoji, a flag or a letter with its accents', () => {
    const family = '👩‍👩‍👧‍👦';
    expect(texts(family.repeat(5), 2 * family.length + 3)).toEqual([
      family.repeat(2),
      family.repeat(2),
      family,
    ]);
    expect(texts('🇩🇪🇫🇷🇮🇹', 7)).toEqual(['🇩🇪', '🇫🇷', '🇮🇹']);
    expect(texts('e\u0301e\u0301e\u0301', 3)).toEqual(['e\u0301', 'e\u0301', 'e\u0301']);
    expect(texts('ab**c**\u0301d', 3)).toEqual(['ab', 'c\u0301d']);
  });

  test('and nothing is left of white space at a cut', () => {
    expect(texts('One two.   \nThree four.', 14)).toEqual(['One two.', 'Three four.']);
  });
});

describe('what is cut goes on as it was', () => {
  test('styles', () => {
    expect(split('**one *two three***', 8).map(({ children }) => children)).toEqual([
      [
        {
          type: 'paragraph',
          children: [
            {
              type: 'strong',
              children: [
                { type: 'text', value: 'one ' },
                { type: 'emphasis', children: [{ type: 'text', value: 'two' }] },
              ],
            },
          ],
        },
      ],
      [
        {
          type: 'paragraph',
          children: [
            {
              type: 'strong',
              children: [{ type: 'emphasis', children: [{ type: 'text', value: 'three' }] }],
            },
          ],
        },
      ],
    ]);
  });

  test('a link that fits is not cut, and its bracket goes along', () => {
    expect(texts('some words here and there ([a b c d](x:y))', 34)).toEqual([
      'some words here and there',
      '(a b c d (x:y))',
    ]);
  });

  test('a link that does not fit leads to the same address from both parts', () => {
    const label = 'one two three four five six';
    const parts = texts(`[${label}](x:y)`, 20);
    expect(parts).toEqual(['one two three (x:y)', 'four five six (x:y)']);
  });
});

describe('what cannot be cut as it is becomes text', () => {
  test('an address that fits into no part', () => {
    const url = `https://a.example/${'x'.repeat(40)}`;
    expect(texts(url, 30).join('')).toBe(url);
    expect(texts(`[a label](${url})`, 30).join('').replaceAll(' ', '')).toBe(`alabel(${url})`);
    expect(texts(`![an image](${url})`, 30).join('').replaceAll(' ', '')).toBe(`animage(${url})`);
  });

  test('a row that fits into no part', () => {
    const long = 'word '.repeat(12).trim();
    const parts = texts(`| a | b |\n|---|---|\n| 1 | 2 |\n| ${long} | 3 |\n| 4 | 5 |`, 30);
    expect(parts.every((part) => part.length <= 30)).toBe(true);
    expect(parts[0]).toContain('a | b\n1 | 2');
    expect(parts.join(' ').match(/word/g)).toHaveLength(12);
    expect(parts.at(-1)).toContain('a | b\n4 | 5');
  });
});

test('an address that takes up half of a part is not repeated in each', () => {
  const url = 'https://a.example/long';
  const parts = texts(`[${'word '.repeat(12)}end](${url})`, 50);
  expect(parts.join(' ').split(url)).toHaveLength(2);
  expect(parts.join(' ').match(/word/g)).toHaveLength(12);
});

test('a header stays even if none of its rows does', () => {
  const parts = texts(`| a | b |\n|---|---|\n| ${'word '.repeat(12)}| 3 |`, 30);
  expect(parts[0]).toMatch(/^a \| b/);
  expect(parts.join(' ').match(/word/g)).toHaveLength(12);
});

describe('it comes to an end', () => {
  test('when nothing fits: each cluster is a part', () => {
    expect(splitMarkdown(parseMarkdown('ab👍🏽'), () => false).map(renderPlainText)).toEqual([
      'a',
      'b',
      '👍🏽',
    ]);
  });

  test('when nothing fits, without an empty block for the end of code', () => {
    const parts = splitMarkdown(parseMarkdown('```\nab\n```'), () => false);
    expect(parts.map(renderPlainText)).toEqual(['a', 'b']);
  });

  test('when there is nothing', () => {
    expect(splitMarkdown(parseMarkdown(''), () => false)).toEqual([{ type: 'root', children: [] }]);
  });

  test('when one letter has thousands of accents', () => {
    const parts = texts(`a${'\u0301'.repeat(5_000)}`, 1_600);
    expect(parts.every((part) => part.length <= 1_600)).toBe(true);
    expect(parts.join('')).toHaveLength(5_001);
  });

  test('with few questions about a long answer, and none about much more than fits', () => {
    const lengthMax = 4_000;
    let asked = 0;
    let characters = 0;
    const root = parseMarkdown('Some words of an answer. '.repeat(4_000));
    const parts = splitMarkdown(root, (part) => {
      const { length } = renderPlainText(part);
      asked++;
      characters += length;
      return length <= lengthMax;
    });
    expect(parts.length).toBeLessThan(30);
    expect(asked / parts.length).toBeLessThan(40);
    expect(characters / asked).toBeLessThan(2 * lengthMax);
  });
});

test('a long answer with several blocks of code arrives whole, each line of code in its place', () => {
  const code = (name: string, lines: number) =>
    Array.from({ length: lines }, (_, at) => (at % 7 === 3 ? '' : `  ${name}(${at}); // step`)).join('\n');
  const blocks = [code('first', 180), code('second', 40), code('third', 300)];
  const prose = 'Some words about what comes next, and why. '.repeat(20);
  const answer = blocks.map((block) => `## Step\n\n${prose}\n\n\`\`\`ts\n${block}\n\`\`\``).join('\n\n');
  expect(answer.length).toBeGreaterThan(12_000);

  const parts = split(answer, 3_900);
  const nodes = parts.flatMap(({ children }) => children);
  const codes = nodes.flatMap((node) => (node.type === 'code' ? [node] : []));
  expect(codes.every(({ lang }) => lang === 'ts')).toBe(true);
  expect(codes.map(({ value }) => value).join('\n')).toBe(blocks.join('\n'));
  const words = nodes.flatMap((node) => (node.type === 'paragraph' ? [textOf(node.children)] : []));
  expect(words.join(' ').match(/and why/g)).toHaveLength(60);
  expect(parts.length).toBeLessThanOrEqual(Math.ceil(answer.length / 3_900) * 2);
});
