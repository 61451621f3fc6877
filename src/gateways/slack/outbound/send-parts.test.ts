import { expect, test } from 'vitest';
import { aSlackWorkspace } from '../../../../test/support/a-slack-workspace.ts';
import type { OutboundMessage } from '../../gateway.ts';
import { composeParts } from './send-parts.ts';

const compose = (message: Pick<OutboundMessage, 'text' | 'content'>) =>
  composeParts({ attachments: [], ...message }, 'Sources');
const last = <Item>(items: readonly Item[]): Item | undefined => items.at(-1);

test('an answer alone is its text', () => {
  const [part, ...others] = compose({ text: 'Hello', content: {} });
  expect(part?.text).toBe('Hello');
  expect(others).toEqual([]);
});

test('places that an answer rests on stand below it, numbered as it cites them', () => {
  const sources = [
    { title: 'Refunds', url: 'https://example.com/refunds', quote: 'Within 30 days.' },
    { title: 'A book' },
  ];
  const [part] = compose({ text: 'Within 30 days [1]', content: { sources } });
  expect(part?.text).toBe('Within 30 days [1]\n\nSources\n1. Refunds\n2. A book');
  expect(last(part?.blocks ?? [])).toMatchObject({
    type: 'rich_text',
    elements: [
      { elements: [{ type: 'text', text: 'Sources' }] },
      {
        type: 'rich_text_list',
        style: 'ordered',
        elements: [
          { elements: [{ type: 'link', url: 'https://example.com/refunds', text: 'Refunds' }] },
          { elements: [{ type: 'text', text: 'A book' }] },
        ],
      },
    ],
  });
});

test('a source is neither a mention nor a link to something else than the web', () => {
  const sources = [{ title: '<!here> & co', url: 'javascript:alert(1)' }];
  const [part] = compose({ text: '', content: { sources } });
  expect(part?.text).toBe('Sources\n1. &lt;!here&gt; &amp; co');
  expect(JSON.stringify(part?.blocks)).not.toContain('javascript');
});

test('sources that would make a post too long are a post of their own', () => {
  const sources = Array.from({ length: 10 }, (_, index) => ({ title: `${index} ${'long '.repeat(60)}` }));
  const parts = compose({ text: 'word '.repeat(700), content: { sources } });
  expect(parts.length).toBeGreaterThan(1);
  expect(last(parts)?.text).toMatch(/^Sources\n1\. /);
  for (const { text } of parts) expect(text.length).toBeLessThanOrEqual(4_000);
});

test('sources of any form stay within what Slack takes', async () => {
  await using workspace = await aSlackWorkspace();
  const source = { title: '&"'.repeat(500), url: `https://example.com/${'x'.repeat(700)}` };
  const content = { sources: Array.from({ length: 50 }, () => source) };
  await workspace.send(workspace.message({ text: 'Well', content }));
  const [post] = workspace.slack.posts('T1', 'C1');
  expect(post?.finalText).toMatch(/^Well\nSources\n&"/);
  expect(JSON.stringify(post?.blocks).length).toBeLessThanOrEqual(12_000);
});

test('buttons stand below the last part; what Slack cannot hold is left out', () => {
  const buttons = [
    { label: 'Yes', value: 'yes' },
    { label: 'Too much', value: 'x'.repeat(2_001) },
    { label: '', value: 'nothing to read' },
    'no button',
    { label: '👩‍👩‍👧‍👦'.repeat(20), value: 'family' },
  ];
  const [part] = compose({ text: 'Shall I?', content: { buttons } });
  const actions = last(part?.blocks ?? []) as unknown as {
    elements: { action_id: string; text: { text: string }; value: string }[];
  };
  expect(actions.elements.map(({ value, action_id: id }) => [id, value])).toEqual([
    ['swarmgate_button_0', 'yes'],
    ['swarmgate_button_1', 'family'],
  ]);
  const shown = actions.elements[1]?.text.text ?? '';
  expect(shown.length).toBeLessThanOrEqual(75);
  expect(shown).toMatch(/^(?:👩‍👩‍👧‍👦)+…$/u);
});

test('Slack takes sources and buttons, also without a text', async () => {
  await using workspace = await aSlackWorkspace();
  const content = {
    sources: [{ title: 'Refunds', url: 'https://example.com' }],
    buttons: [{ label: 'Yes', value: 'yes' }],
  };
  await workspace.send(workspace.message({ text: 'Shall I?', content }));
  await workspace.send(workspace.message({ text: '', content: { buttons: content.buttons } }));
  const [full, bare] = workspace.slack.posts('T1', 'C1');
  expect(full?.finalText).toBe('Shall I?\nSources\nRefunds');
  expect(full?.blocks?.map(({ type }) => type)).toEqual(['rich_text', 'rich_text', 'actions']);
  expect(bare?.blocks?.map(({ type }) => type)).toEqual(['actions']);
});
