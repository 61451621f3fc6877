import { describe, expect, test } from 'vitest';
import type { Json } from '../json.ts';
import { SlackRefusal } from '../refusal.ts';
import { checkMessageBlocks } from './check-blocks.ts';

/** What blocks are refused with, and where the fault is. */
function faultOf(blocks: Json[]): string {
  try {
    checkMessageBlocks(blocks);
    return 'none';
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    const metadata = error.details['response_metadata'] as { messages: string[] };
    return `${error.error}: ${metadata.messages.join()}`;
  }
}

const rich = (...elements: Json[]): Json[] => [{ type: 'rich_text', elements }];
const section = (...elements: Json[]): Json[] => rich({ type: 'rich_text_section', elements });
const text = (said: string): Json => ({ type: 'text', text: said });

test('everything that rich text may hold passes', () => {
  const inlines: Json[] = [
    { type: 'text', text: 'bold', style: { bold: true, italic: false } },
    { type: 'link', url: 'https://a.example/?q=1', text: 'a' },
    { type: 'user', user_id: 'U1' },
    { type: 'usergroup', usergroup_id: 'S1' },
    { type: 'channel', channel_id: 'C1' },
    { type: 'broadcast', range: 'here' },
    { type: 'emoji', name: 'thumbsup' },
    { type: 'date', timestamp: 1_767_224_888, format: '{date}', fallback: 'then' },
    { type: 'color', value: '#00ff00' },
  ];
  const list = { type: 'rich_text_list', style: 'ordered', indent: 1, offset: 2 };
  expect(
    faultOf(
      rich(
        { type: 'rich_text_section', elements: inlines },
        { ...list, elements: [{ type: 'rich_text_section', elements: [text('one')] }] },
        { type: 'rich_text_quote', elements: [text('said')] },
        { type: 'rich_text_preformatted', elements: [text('let x;')], language: 'javascript' },
      ),
    ),
  ).toBe('none');
});

describe('rich text is refused', () => {
  test.each([
    ['with an empty text', section(text('')), 'must be more than 0 characters'],
    ['with nothing in it', rich(), 'must have at least 1 items'],
    ['with an empty section', section(), 'must have at least 1 items'],
    ['with an unknown element', rich({ type: 'rich_text_table', elements: [] }), 'unsupported type'],
    ['with an unknown inline', section({ type: 'bold', text: 'a' }), 'must be one of'],
    ['with a link that leads nowhere', section({ type: 'link', url: '/a' }), 'must be a valid URL'],
    ['with a link to a script', section({ type: 'link', url: 'javascript:alert(1)' }), 'must be a valid URL'],
    ['with a mention of no id', section({ type: 'user', user_id: 'ada' }), 'must be an id'],
    ['with a style that is no boolean', section({ ...text('a'), style: { bold: 1 } }), 'true or false'],
    ['with a style that is unknown', section({ ...text('a'), style: { big: true } }), 'additional property'],
    ['with a field that is unknown', section({ ...text('a'), html: '' }), 'additional property'],
    [
      'with an emoji in code',
      rich({ type: 'rich_text_preformatted', elements: [{ type: 'emoji', name: 'eyes' }] }),
      'must be one of text, link',
    ],
    [
      'with a list in a list',
      rich({ type: 'rich_text_list', style: 'bullet', elements: [{ type: 'rich_text_list', elements: [] }] }),
      'must be one of rich_text_section',
    ],
    [
      'with a list of no style',
      rich({ type: 'rich_text_list', elements: [{ type: 'rich_text_section', elements: [text('a')] }] }),
      'must be one of bullet, ordered',
    ],
  ])('%s', (_case, blocks, fault) => {
    expect(faultOf(blocks)).toMatch(/^invalid_blocks: /);
    expect(faultOf(blocks)).toContain(fault);
  });
});

test('a fault says where it is', () => {
  expect(faultOf(section(text('a'), text('')))).toBe(
    'invalid_blocks: [ERROR] must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/1/text]',
  );
});

describe('other blocks are refused', () => {
  const plain = (said: string): Json => ({ type: 'plain_text', text: said });
  const button = { type: 'button', action_id: 'a', text: plain('Press') };
  test.each([
    ['of no known type', [{ type: 'paragraph' }], 'unsupported type'],
    ['with a section of nothing', [{ type: 'section' }], 'missing required field'],
    ['with a long section', [{ type: 'section', text: plain('x'.repeat(3_001)) }], 'less than 3001'],
    ['with mrkdwn in a header', [{ type: 'header', text: { type: 'mrkdwn', text: 'a' } }], 'plain_text'],
    ['with no buttons', [{ type: 'actions', elements: [] }], 'at least 1'],
    [
      'with 26 buttons',
      [{ type: 'actions', elements: Array.from({ length: 26 }, () => button) }],
      'at most 25',
    ],
    [
      'with a wordy button',
      [{ type: 'actions', elements: [{ ...button, text: plain('x'.repeat(76)) }] }],
      '76',
    ],
    [
      'with one id twice',
      [
        { type: 'divider', block_id: 'a' },
        { type: 'divider', block_id: 'a' },
      ],
      'twice',
    ],
    [
      'with a field to fill in',
      [{ type: 'input', label: plain('a'), element: { type: 'timepicker' } }],
      'views',
    ],
    ['that are fifty-one', Array.from({ length: 51 }, () => ({ type: 'divider' })), 'no more than 50'],
  ])('%s', (_case, blocks, fault) => {
    expect(faultOf(blocks)).toMatch(/^invalid_blocks: /);
    expect(faultOf(blocks)).toContain(fault);
  });
});

test('blocks together are no longer than observed', () => {
  const blocks = (length: number) => section(text('x'.repeat(length)));
  expect(faultOf(blocks(13_000))).toBe('none');
  expect(faultOf(blocks(13_200))).toMatch(/^msg_blocks_too_long/);
});

test('there is one table, of rows that are not too wide', () => {
  const cell = { type: 'raw_text', text: 'a' };
  const table = (columns: number) => ({ type: 'table', rows: [Array.from({ length: columns }, () => cell)] });
  expect(faultOf([table(20)])).toBe('none');
  expect(faultOf([table(21)])).toContain('at most 20');
  expect(faultOf([table(1), table(1)])).toContain('only_one_table_allowed');
});
