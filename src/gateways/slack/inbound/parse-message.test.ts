import type { SlackReplyPolicy } from '@swarmgate/contract/channels/slack.ts';
import { describe, expect, test } from 'vitest';
import type { InboundEvent, InboundMessage } from '../../gateway.ts';
import { parseMessage } from './parse-message.ts';

const ts = '1767224888.280449';
const threadTs = '1767224000.000100';
const asked = { text: '<@UBOT> Hey' };
const said = { text: 'Hey' };
const policies: SlackReplyPolicy[] = ['thread', 'in_thread', 'mentions'];

describe('where a message of a channel is answered, and whether', () => {
  test.each<[string, SlackReplyPolicy, Record<string, unknown>, Partial<InboundMessage> | 'not addressed']>([
    ['a mention', 'thread', asked, { conversationExternalId: `C1/${ts}` }],
    ['a mention', 'in_thread', asked, { conversationExternalId: 'C1' }],
    ['a mention', 'mentions', asked, { conversationExternalId: `C1/${ts}` }],
    [
      'a mention in a thread',
      'thread',
      { ...asked, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}` },
    ],
    [
      'a mention in a thread',
      'in_thread',
      { ...asked, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}` },
    ],
    [
      'a mention in a thread',
      'mentions',
      { ...asked, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}` },
    ],
    [
      'a mention that has got replies',
      'in_thread',
      { ...asked, thread_ts: ts },
      { conversationExternalId: 'C1' },
    ],
    [
      'a message in a thread',
      'thread',
      { ...said, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}`, onlyIfKnown: true, needsAnswer: true },
    ],
    [
      'a message in a thread',
      'in_thread',
      { ...said, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}`, onlyIfKnown: true, needsAnswer: true },
    ],
    [
      'a message in a thread',
      'mentions',
      { ...said, thread_ts: threadTs },
      { conversationExternalId: `C1/${threadTs}`, onlyIfKnown: true, needsAnswer: false },
    ],
    ['any other message', 'thread', said, 'not addressed'],
    ['any other message', 'in_thread', said, 'not addressed'],
    ['any other message', 'mentions', said, 'not addressed'],
    ['one that mentions somebody else', 'thread', { text: '<@U2> Hey' }, 'not addressed'],
  ])('%s under %s', (_, replies, fields, expected) => {
    const event = parse({ ...fields, channel_type: 'channel' }, { replies });
    if (typeof expected === 'string') {
      expect(event).toEqual({ kind: 'unsupported', reason: expected });
      return;
    }
    expect(event).toMatchObject({ kind: 'message', ...expected });
    const message = event as InboundMessage;
    expect([message.onlyIfKnown, message.needsAnswer]).toEqual([expected.onlyIfKnown, expected.needsAnswer]);
  });

  test.each(policies)('a direct message always is, under %s too', (replies) => {
    const direct = parse({ ...said, channel: 'D1', channel_type: 'im' }, { replies });
    expect(direct).toMatchObject({ kind: 'message', conversationExternalId: '@U1' });
    expect(direct).not.toHaveProperty('onlyIfKnown');
    expect(direct).not.toHaveProperty('needsAnswer');

    const inThread = parse({ ...said, channel: 'D1', thread_ts: threadTs }, { replies });
    expect(inThread).toMatchObject({ kind: 'message', conversationExternalId: `D1/${threadTs}` });
    expect(inThread).not.toHaveProperty('onlyIfKnown');
  });

  test('a group’s direct message is a channel of many: only a mention is answered', () => {
    const group = { channel: 'G1', channel_type: 'mpim' };
    expect(parse({ ...said, ...group })).toEqual({ kind: 'unsupported', reason: 'not addressed' });
    expect(parse({ ...asked, ...group })).toMatchObject({ conversationExternalId: `G1/${ts}` });
  });
});

describe('one message is one', () => {
  test.each(policies)('told as message and as app_mention, under %s', (replies) => {
    for (const place of [{}, { thread_ts: threadTs }]) {
      const twin = parse({ ...asked, ...place, type: 'app_mention' }, { replies });
      expect(twin).toMatchObject({ kind: 'message', key: `message/T1/C1/${ts}` });
      expect(twin).toEqual(parse({ ...asked, ...place, type: 'message' }, { replies }));
    }
  });

  test('under any number of event ids', () => {
    const keys = ['Ev1', 'Ev2', undefined].map((id) => (parse(asked, {}, id) as InboundMessage).key);
    expect(new Set(keys).size).toBe(1);
  });

  test('and another at the same time in another workspace or channel', () => {
    const keys = [parse(asked), parse(asked, { team: 'T2' }), parse({ ...asked, channel: 'C2' })].map(
      (event) => (event as InboundMessage).key,
    );
    expect(new Set(keys).size).toBe(3);
  });

  test('a mention is not hidden by its twin while nobody knows who the bot is', () => {
    const unknown = { botUserIds: new Set<string>(), replies: 'mentions' as const };
    expect(parse({ ...asked, thread_ts: threadTs }, unknown)).toMatchObject({ kind: 'unsupported' });
    expect(parse({ ...asked, thread_ts: threadTs, type: 'app_mention' }, unknown)).toMatchObject({
      kind: 'message',
    });
  });
});

describe('of bots nothing is answered', () => {
  test.each([
    ['a bot of somebody’s', { bot_id: 'B2' }],
    ['ours, by its bot id', { user: 'UBOT', bot_id: 'B1' }],
    ['ours, by its user id', { user: 'UBOT' }],
    ['an app', { app_id: 'A2' }],
    ['an old integration', { subtype: 'bot_message', user: undefined, bot_id: 'B3' }],
    ['Slack itself', { user: 'USLACKBOT' }],
  ])('%s', (_, fields) => {
    const addressed = { ...asked, channel: 'D1', ...fields };
    const event = parse(addressed);
    expect(event.kind).toBe('unsupported');
    expect(parse({ ...addressed, type: 'app_mention' }).kind).toBe('unsupported');
  });
});

test.each(['file_share', 'thread_broadcast', 'me_message'])(
  'a message with subtype %s is a message',
  (subtype) => {
    expect(parse({ ...asked, subtype })).toMatchObject({ kind: 'message', text: 'Hey' });
  },
);

test.each([
  ['channel_join', 'message/channel_join'],
  ['message_replied', 'message/message_replied'],
  ['channel_topic', 'message/channel_topic'],
  ['something_new', 'message/something_new'],
  ['Text that\nsomebody wrote', 'message/unknown'],
  [7, 'message/unknown'],
])('subtype %j is not supported, as %j', (subtype, reason) => {
  expect(parse({ ...asked, subtype })).toEqual({ kind: 'unsupported', reason });
});

describe('what a message brings', () => {
  test('its text, its files and who said it', () => {
    const event = parse({
      ...asked,
      team: 'T2',
      user_profile: { display_name: '', real_name: 'Ann Example' },
      files: [
        {
          id: 'F1',
          name: 'plan.pdf',
          mimetype: 'application/pdf',
          size: 12,
          mode: 'hosted',
          url_private: 'https://files.slack.com/files-pri/T1-F1/plan.pdf',
          url_private_download: 'https://files.slack.com/files-pri/T1-F1/download/plan.pdf',
        },
        { id: 'F2', mode: 'tombstone' },
        { id: 'F3', mode: 'hidden_by_limit', name: 'old.png' },
        { id: 'F4', mode: 'file_access', file_access: 'check_file_info' },
        { name: 'without an id' },
        {
          id: 'F5',
          name: null,
          title: 'Notes',
          size: -1,
          url_private: 'https://files.slack.com/files-pri/T1-F5/notes',
        },
      ],
    });

    expect(event).toMatchObject({
      text: 'Hey',
      participant: { externalId: 'U1', verified: true, profile: { name: 'Ann Example', team: 'T2' } },
      content: { slack: { team: 'T1', channel: 'C1', ts, user: 'U1' } },
    });
    expect((event as InboundMessage).attachments).toEqual([
      {
        name: 'plan.pdf',
        contentType: 'application/pdf',
        sizeBytes: 12,
        source: { id: 'F1', url: 'https://files.slack.com/files-pri/T1-F1/download/plan.pdf' },
      },
      { name: 'F4', contentType: 'application/octet-stream', source: { id: 'F4' } },
      {
        name: 'Notes',
        contentType: 'application/octet-stream',
        source: { id: 'F5', url: 'https://files.slack.com/files-pri/T1-F5/notes' },
      },
    ]);
  });

  test('files without a word are a message', () => {
    const event = parse({ text: '', channel: 'D1', subtype: 'file_share', files: [{ id: 'F1' }] });
    expect(event).toMatchObject({ kind: 'message', text: '', attachments: [{ name: 'F1' }] });
  });

  test('neither a word nor a file is none', () => {
    expect(parse({ text: ' ', channel: 'D1' })).toEqual({
      kind: 'unsupported',
      reason: 'message without content',
    });
  });

  test('what it forwards is quoted behind it; the preview of a link is not', () => {
    const attachments = [
      { is_share: true, author_name: 'Bob', text: 'It broke.\nTwice &amp; badly.' },
      { text: 'A preview', from_url: 'https://a.example' },
    ];
    expect(parse({ ...asked, attachments })).toMatchObject({ text: 'Hey\n\n> It broke.\n> Twice & badly.' });
    expect(parse({ text: '', channel: 'D1', attachments })).toMatchObject({
      text: '> It broke.\n> Twice & badly.',
    });
  });
});

test.each([
  ['user', 7],
  ['user', null],
  ['channel', { id: 'C1' }],
  ['channel', 'C1/2'],
  ['ts', 1767224888.280449],
  ['ts', '1767224888'],
  ['ts', '../1.1'],
])('with %s %j it cannot be told from others and is not taken', (name, value) => {
  expect(parse({ ...asked, [name]: value })).toEqual({
    kind: 'unsupported',
    reason: 'message without author, channel or time stamp',
  });
});

function parse(
  fields: Record<string, unknown>,
  context: Partial<Parameters<typeof parseMessage>[1]> = {},
  eventId?: string,
): InboundEvent {
  const event = { type: 'message', user: 'U1', channel: 'C1', ts, event_ts: ts, ...fields };
  return parseMessage(
    event,
    { team: 'T1', botUserIds: new Set(['UBOT']), replies: 'thread', ...context },
    eventId,
  );
}
