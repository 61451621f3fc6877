import { expect, test } from 'vitest';
import type { Json } from './json.ts';
import { mentionsIn, plainText, visibleText } from './visible-text.ts';

const section = (...elements: Json[]): Json => ({ type: 'rich_text_section', elements });
const text = (said: string): Json => ({ type: 'text', text: said });

test('notation is read as it is shown', () => {
  expect(
    plainText(
      '1 &lt; 2 &amp;&amp; <https://a.example|here>, <https://b.example> <!here> <@U1> <#C1|general>',
    ),
  ).toBe('1 < 2 && here, https://b.example @here @U1 general');
});

test('what is escaped twice is unescaped once', () => {
  expect(plainText('&amp;lt;')).toBe('&lt;');
});

test('blocks are read before the text', () => {
  const list = {
    type: 'rich_text_list',
    style: 'bullet',
    elements: [section(text('one')), section(text('two'))],
  };
  const blocks = [
    {
      type: 'rich_text',
      elements: [
        section(text('See '), { type: 'link', url: 'https://a.example', text: 'this' }, text(':\n')),
        list,
        { type: 'rich_text_preformatted', elements: [text('a\nb')] },
      ],
    },
    { type: 'actions', elements: [] },
    { type: 'section', text: { type: 'mrkdwn', text: 'x &gt; y' } },
    {
      type: 'table',
      rows: [
        [
          { type: 'raw_text', text: 'a' },
          { type: 'rich_text', elements: [section(text('b'))] },
        ],
      ],
    },
  ];
  expect(visibleText({ text: 'fallback', blocks })).toBe('See this:\none\ntwo\na\nb\nx > y\na\tb');
});

test('what was streamed is read as it is, with the blocks below it', () => {
  expect(visibleText({ text: 'a', markdown: '**a** &amp;' })).toBe('**a** &amp;');
  const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'Sources' } }];
  expect(visibleText({ text: 'a', markdown: 'a', blocks })).toBe('a\nSources');
});

test('whom a message notifies is found wherever it is written', () => {
  expect(mentionsIn({ text: 'Hi <@U1> and <!here|here>, not &lt;!channel&gt; nor @everyone' })).toEqual([
    '@U1',
    '@here',
  ]);
  const blocks = [
    {
      type: 'rich_text',
      elements: [section({ type: 'broadcast', range: 'channel' }, { type: 'user', user_id: 'U2' })],
    },
    { type: 'section', text: { type: 'mrkdwn', text: '<!subteam^S1>' } },
    { type: 'section', text: { type: 'plain_text', text: '<@U3>' } },
  ];
  expect(mentionsIn({ text: '', blocks, markdown: '<@U4>' })).toEqual(['@U4', '@S1', '@channel', '@U2']);
});
