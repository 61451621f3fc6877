import { expect, test } from 'vitest';
import { shownButtons, shownEmbed, shownMarkdown } from './shown-text.ts';

test.each([
  ['\\[1\\] says 2 \\* 3', '[1] says 2 * 3'],
  ['a \\\\ b', 'a \\ b'],
  ['C:\\new', 'C:\\new'],
  ['`\\[1\\]` and \\[1\\]', '`\\[1\\]` and [1]'],
  ['```\n\\*\n```', '```\n\\*\n```'],
  ['\\`not code\\_\\`', '`not code_`'],
])('%s is shown as %s', (markdown, shown) => {
  expect(shownMarkdown(markdown)).toBe(shown);
});

test('the box with the sources is shown as text', () => {
  const embed = { title: 'Sources', description: '1. [Hand\\_book](https://a.example)\n2. Leaflet' };
  expect(shownEmbed(embed)).toBe('\nSources\n1. [Hand_book](https://a.example)\n2. Leaflet');
});

test.each([
  [
    'Discord',
    [
      {
        type: 1,
        components: [
          { type: 2, label: 'Yes' },
          { type: 2, label: 'No' },
        ],
      },
    ],
  ],
  [
    'Slack',
    [{ type: 'actions', elements: ['Yes', 'No'].map((text) => ({ type: 'button', text: { text } })) }],
  ],
  [
    'Teams',
    [
      {
        content: {
          type: 'AdaptiveCard',
          actions: ['Yes', 'No'].map((title) => ({ type: 'Action.Submit', title })),
        },
      },
    ],
  ],
])('buttons of %s are shown by their labels', (_, parts) => {
  expect(shownButtons(parts)).toEqual(['\n[ Yes ] [ No ]']);
  expect(shownButtons([])).toEqual([]);
});
