import { expect, test } from 'vitest';
import { parseMarkdown } from './parse-markdown.ts';
import { renderPlainText } from './plain-text.ts';

const plain = (markdown: string) => renderPlainText(parseMarkdown(markdown));

test.each([
  ['paragraphs stand apart', 'One.\n\nTwo.', 'One.\n\nTwo.'],
  ['a line break stays', 'One\ntwo  \nthree', 'One\ntwo\nthree'],
  ['a heading is a line', '# One *two*\ntext', 'One two\n\ntext'],
  ['styles leave no marks', '**a** *b* ~~c~~ `d`', 'a b c d'],
  ['a link shows its address', '[here](https://a.example)', 'here (https://a.example)'],
  [
    'a link that is its address shows it once',
    '<https://a.example> www.b.example',
    'https://a.example www.b.example',
  ],
  ['an e-mail address is itself', 'a@b.example', 'a@b.example'],
  ['a link without a label is its address', '[](https://a.example)', 'https://a.example'],
  [
    'an image shows its text and address',
    '![A cat](https://a.example/c.png)',
    'A cat (https://a.example/c.png)',
  ],
  ['an image without a text is its address', '![](https://a.example/c.png)', 'https://a.example/c.png'],
  ['items have bullets', '* a\n* b', '• a\n• b'],
  ['items keep their numbers', '7. a\n8. b', '7. a\n8. b'],
  ['what is nested stands further in', '1. a\n   - b\n     - c\n2. d', '1. a\n  • b\n    • c\n2. d'],
  ['an item of two paragraphs is one item', '- a\n\n  b\n- c', '• a\n\n  b\n• c'],
  ['tasks are ticked', '- [x] a\n- [ ] b\n\n1. [x] c', '[x] a\n[ ] b\n\n1. [x] c'],
  ['quotes are marked on each line', '> a\n>\n> b\n> > c', '> a\n>\n> b\n>\n> > c'],
  ['code stays as it is', '```ts\nif (a) {\n  b *= 2;\n\n}\n```', 'if (a) {\n  b *= 2;\n\n}'],
  ['a table has a line a row', '| a | b |\n|---|---|\n| **1** | 2 |', 'a | b\n1 | 2'],
  ['a thematic break is a line', 'a\n\n---\n\nb', 'a\n\n———\n\nb'],
  ['characters stay what they are', '1 < 2 && \\*x\\* <!channel> @here', '1 < 2 && *x* <!channel> @here'],
  ['nothing is nothing', ' \n ', ''],
])('%s', (_, markdown, expected) => {
  expect(plain(markdown)).toBe(expected);
});
