import type { SlackReplyPolicy } from '@swarmgate/contract/channels/slack.ts';
import { describe, expect, test } from 'vitest';
import { parseInteraction } from './parse-interaction.ts';

const ts = '1767326126.896109';
const threadTs = '1767326125.870439';
const user = { id: 'U1', username: 'ann', name: 'ann', team_id: 'T2' };

describe('a button', () => {
  const button = {
    type: 'button',
    action_id: 'info',
    block_id: 'b1',
    action_ts: '1767326130.289415',
    text: { type: 'plain_text', text: 'Show &amp; tell' },
    value: 'x1',
  };
  const container = { type: 'message', channel_id: 'C1', message_ts: ts };

  test('is said in words, in the conversation of its message', () => {
    expect(press(button, { container: { ...container, thread_ts: threadTs } })).toEqual({
      kind: 'action',
      key: `action/T1/${ts}/info/1767326130.289415`,
      conversationExternalId: `C1/${threadTs}`,
      participant: { externalId: 'U1', verified: true, profile: { name: 'ann', team: 'T2' } },
      text: 'Show & tell',
      content: {
        slack: {
          team: 'T1',
          channel: 'C1',
          ts,
          threadTs,
          user: 'U1',
          action: { actionId: 'info', blockId: 'b1', value: 'x1' },
        },
      },
    });
  });

  test.each<[string, SlackReplyPolicy, Record<string, unknown>, string]>([
    ['outside a thread', 'thread', { container }, `C1/${ts}`],
    ['outside a thread', 'mentions', { container }, `C1/${ts}`],
    ['outside a thread', 'in_thread', { container }, 'C1'],
    ['in a direct message', 'thread', { container: { ...container, channel_id: 'D1' } }, '@U1'],
    [
      'in a thread of a direct message',
      'thread',
      { container: { ...container, channel_id: 'D1', thread_ts: threadTs } },
      `D1/${threadTs}`,
    ],
    ['that one person sees', 'thread', { container: { ...container, is_ephemeral: true } }, '@U1'],
    [
      'whose container is trimmed',
      'thread',
      { channel: { id: 'C1' }, message: { ts, thread_ts: threadTs } },
      `C1/${threadTs}`,
    ],
    [
      'in the app’s home',
      'thread',
      { container: { type: 'view', view_id: 'V1' }, view: { id: 'V1' } },
      '@U1',
    ],
  ])('%s, under %s', (_, replies, fields, conversation) => {
    expect(press(button, fields, replies)).toMatchObject({
      kind: 'action',
      conversationExternalId: conversation,
    });
  });

  test.each([
    ['that leads to a page', { ...button, url: 'https://a.example' }, { container }],
    ['without an id', { ...button, action_id: undefined }, { container }],
    ['at no time', { ...button, action_ts: 7 }, { container }],
    ['on nothing', button, {}],
    ['of nobody', button, { container, user: null }],
  ])('%s is not taken', (_, action, fields) => {
    expect(press(action, fields)).toMatchObject({ kind: 'unsupported' });
  });

  test('comes once for each that was pressed', () => {
    const { events } = parse({
      type: 'block_actions',
      user,
      container,
      actions: [button, { ...button, action_id: 'more' }],
    });
    expect(events.map((event) => 'key' in event && event.key)).toEqual([
      `action/T1/${ts}/info/1767326130.289415`,
      `action/T1/${ts}/more/1767326130.289415`,
    ]);
    expect(parse({ type: 'block_actions', user, container, actions: {} }).events).toMatchObject([
      { kind: 'unsupported' },
    ]);
  });
});

test.each([
  ['static_select', { selected_option: { text: { text: 'Say Hello' }, value: 'greet' } }, 'Say Hello'],
  ['checkboxes', { selected_options: [{ text: { text: 'One' } }, { text: { text: 'Two' } }] }, 'One, Two'],
  ['checkboxes', { selected_options: [] }, 'pick'],
  ['datepicker', { selected_date: '2026-11-23' }, '2026-11-23'],
  ['timepicker', { selected_time: '09:30' }, '09:30'],
  ['datetimepicker', { selected_date_time: 1_767_225_600 }, '2026-01-01T00:00:00.000Z'],
  ['datetimepicker', { selected_date_time: 1e300 }, 'pick'],
  ['users_select', { selected_user: 'U2' }, '@U2'],
  ['multi_conversations_select', { selected_conversations: ['C2', 'C3'] }, '#C2, #C3'],
  ['plain_text_input', { value: '5 &lt; 6' }, '5 &lt; 6'],
  ['icon_button', { icon: 'trash', value: 'remove' }, 'remove'],
  [
    'rich_text_input',
    {
      rich_text_value: {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'text', text: 'Ask ' },
              { type: 'user', user_id: 'U2' },
              { type: 'text', text: ' ' },
              { type: 'emoji', name: 'wave' },
            ],
          },
          {
            type: 'rich_text_list',
            elements: [
              { type: 'rich_text_section', elements: [{ type: 'text', text: 'one' }] },
              { type: 'rich_text_section', elements: [{ type: 'link', url: 'https://a.example' }] },
            ],
          },
        ],
      },
    },
    'Ask @U2 :wave:\none\nhttps://a.example',
  ],
  ['nothing_known', {}, 'pick'],
])('a choice in %s %j is said as %j', (type, chosen, text) => {
  const action = { type, action_id: 'pick', action_ts: '1767326130.289415', ...chosen };
  expect(press(action, { container: { channel_id: 'C1', message_ts: ts } })).toHaveProperty('text', text);
});

describe('a shortcut opens the form for a question', () => {
  test('from anywhere', () => {
    expect(parse({ type: 'shortcut', callback_id: 'ask', trigger_id: '1.2.abc', user }).events).toEqual([
      { kind: 'opening', view: 'question', details: { triggerId: '1.2.abc', user: 'U1', callbackId: 'ask' } },
    ]);
  });

  test('about a message', () => {
    const fields = {
      type: 'message_action',
      callback_id: 'ask_about',
      trigger_id: '1.2.abc',
      message_ts: ts,
      channel: { id: 'C1' },
      message: { ts, text: '<@U3> 5 &gt; 4' },
      user,
    };
    const details = {
      triggerId: '1.2.abc',
      user: 'U1',
      callbackId: 'ask_about',
      messageText: '@U3 5 > 4',
      channel: 'C1',
      threadTs: ts,
    };
    expect(parse(fields).events).toEqual([{ kind: 'opening', view: 'question', details }]);
    const inThread = parse({ ...fields, message: { ...fields.message, thread_ts: threadTs } });
    expect(inThread.events).toEqual([
      { kind: 'opening', view: 'question', details: { ...details, threadTs } },
    ]);
  });

  test('and nothing without a trigger', () => {
    expect(parse({ type: 'shortcut', user }).events).toMatchObject([{ kind: 'unsupported' }]);
  });
});

describe('a form that was sent', () => {
  const view = { id: 'V1', hash: '1769220166.YVocmHYs', callback_id: 'swarmgate_question' };
  const state = (text: unknown) => ({
    values: { question: { text: { type: 'plain_text_input', value: text } } },
  });

  test('is a direct message, when it is our own, and closes', () => {
    expect(submit({ ...view, state: state(' Why? ') })).toEqual({
      events: [
        {
          kind: 'message',
          key: 'view/T1/V1/1769220166.YVocmHYs',
          conversationExternalId: '@U1',
          participant: { externalId: 'U1', verified: true, profile: { name: 'ann', team: 'T2' } },
          text: 'Why?',
          content: {
            slack: { team: 'T1', user: 'U1', view: { id: 'V1', callbackId: 'swarmgate_question' } },
          },
        },
      ],
    });
  });

  test.each(['  ', undefined, 7])('stays open, when nothing is asked (%j)', (text) => {
    const { events, reply } = submit({ ...view, state: state(text) });
    expect(events).toMatchObject([{ kind: 'unsupported' }]);
    expect(JSON.parse(reply?.body ?? '')).toEqual({
      response_action: 'errors',
      errors: { question: expect.any(String) },
    });
  });

  test('is an action in words, when it is another, with the files in it', () => {
    const { events } = submit({
      ...view,
      callback_id: 'feedback',
      blocks: [{ block_id: 'a', label: { text: 'Your feedback' } }, { block_id: 'b' }],
      state: {
        values: {
          a: { x: { value: 'Good' } },
          b: { y: { selected_option: { text: { text: 'Bug' } } } },
          c: { z: { value: null } },
          d: { f: { type: 'file_input', files: [{ id: 'F1', name: 'a.png', mimetype: 'image/png' }] } },
        },
      },
    });
    expect(events).toMatchObject([
      {
        kind: 'action',
        text: 'Your feedback: Good\nb: Bug',
        attachments: [{ name: 'a.png', contentType: 'image/png', source: { id: 'F1' } }],
      },
    ]);
  });

  test('with nothing in it is named by its title', () => {
    const title = { type: 'plain_text', text: 'Confirm' };
    expect(submit({ ...view, callback_id: 'confirm', title }).events).toMatchObject([
      { kind: 'action', text: 'Confirm' },
    ]);
  });

  test('that cannot be told from others is not taken', () => {
    expect(submit({ ...view, hash: undefined }).events).toMatchObject([{ kind: 'unsupported' }]);
  });
});

test('suggestions are answered with none', () => {
  const { events, reply } = parse({ type: 'block_suggestion', user, value: 'a' });
  expect(events).toEqual([{ kind: 'unsupported', reason: 'block_suggestion' }]);
  expect(JSON.parse(reply?.body ?? '')).toEqual({ options: [] });
});

test.each(['view_closed', 'interactive_message', 'dialog_submission', 'a_kind_of_next_year'])(
  '%s is not supported, and answered with nothing',
  (type) => {
    expect(parse({ type, user })).toEqual({ events: [{ kind: 'unsupported', reason: type }] });
  },
);

function press(action: Record<string, unknown>, fields: Record<string, unknown>, replies?: SlackReplyPolicy) {
  return parse({ type: 'block_actions', user, actions: [action], ...fields }, replies).events[0];
}

function submit(view: Record<string, unknown>) {
  return parse({ type: 'view_submission', user, view });
}

function parse(fields: Record<string, unknown>, replies: SlackReplyPolicy = 'thread') {
  return parseInteraction(fields, { team: 'T1', botUserIds: new Set(['UBOT']), replies });
}
