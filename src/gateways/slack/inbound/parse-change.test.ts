import { describe, expect, test } from 'vitest';
import { parseReaction } from './parse-change.ts';
import { parseMessage } from './parse-message.ts';

const ts = '1767224888.280449';
const editedTs = '1767224900.000000';
const context = { team: 'T1', botUserIds: new Set(['UBOT']), replies: 'thread' } as const;
const target = { key: `message/T1/C1/${ts}`, externalId: `C1/${ts}` };
const before = { type: 'message', user: 'U1', ts, text: 'Helo' };
const edited = { user: 'U1', ts: editedTs };

describe('an edit', () => {
  test('gives the message its new text, under the key of the edit', () => {
    const event = change({ message: { ...before, text: '<@UBOT> Hello &amp; bye', edited } });
    expect(event).toEqual({
      kind: 'edit',
      key: `edit/T1/C1/${ts}/${editedTs}`,
      target,
      participantExternalId: 'U1',
      text: 'Hello & bye',
    });
  });

  test('is one however often it is told, and the next one is another', () => {
    const first = change({ message: { ...before, text: 'Hello', edited } });
    const again = change({ message: { ...before, text: 'Hello', edited }, event_ts: '1767224999.000100' });
    const later = { user: 'U1', ts: '1767224950.000000' };
    const next = change({
      message: { ...before, text: 'Hello!', edited: later },
      previous_message: { ...before, text: 'Hello', edited },
    });
    expect(again).toEqual(first);
    expect(next).toHaveProperty('key', `edit/T1/C1/${ts}/${later.ts}`);
  });

  test('of nothing but formatting or files is one', () => {
    expect(change({ message: { ...before, edited } })).toMatchObject({ kind: 'edit', text: 'Helo' });
  });

  test('without its own time stamp is known by that of the event', () => {
    expect(change({ message: { ...before, text: 'Hello' } })).toMatchObject({
      kind: 'edit',
      key: `edit/T1/C1/${ts}/1767224901.000100`,
    });
  });

  test.each([
    ['the preview of a link', { message: { ...before, attachments: [{ text: 'A page' }] } }],
    [
      'the preview of a link in an edited message',
      { message: { ...before, edited, attachments: [{}] }, previous_message: { ...before, edited } },
    ],
    [
      'our own post that is being streamed',
      { message: { ...before, user: 'UBOT', bot_id: 'B1', text: 'More' } },
    ],
    ['another bot’s post', { message: { ...before, bot_id: 'B2', text: 'More' } }],
    ['one without its author', { message: { ...before, user: undefined, text: 'More' } }],
    ['one without its message', { message: 'text' }],
  ])('is not %s', (_, fields) => {
    expect(change(fields).kind).toBe('unsupported');
  });
});

describe('a deletion', () => {
  const deleted = {
    kind: 'delete',
    key: `delete/T1/C1/${ts}`,
    target,
    participantExternalId: 'U1',
  };

  test('takes the message away', () => {
    expect(change({ subtype: 'message_deleted', deleted_ts: ts })).toEqual(deleted);
  });

  test('of a message with replies comes as a notice in its place', () => {
    const message = { subtype: 'tombstone', user: 'USLACKBOT', text: 'This message was deleted.', ts };
    expect(change({ message })).toEqual(deleted);
  });

  test('is heard of when the author is not told', () => {
    const event = change({ subtype: 'message_deleted', deleted_ts: ts, previous_message: undefined });
    expect(event).toEqual({ ...deleted, participantExternalId: 'unknown' });
  });

  test('of our own post is heard of', () => {
    const event = change({
      subtype: 'message_deleted',
      deleted_ts: ts,
      previous_message: { user: 'UBOT', bot_id: 'B1', ts },
    });
    expect(event).toEqual({ ...deleted, participantExternalId: 'UBOT' });
  });
});

describe('a reaction', () => {
  const reaction = {
    type: 'reaction_added',
    user: 'U1',
    reaction: '+1',
    item: { type: 'message', channel: 'C1', ts },
    event_ts: '1767326140.000700',
  };

  test('is added and taken back', () => {
    const added = {
      kind: 'reaction',
      key: `reaction/T1/C1/${ts}/U1/reaction_added/1767326140.000700`,
      target,
      participantExternalId: 'U1',
      name: '+1',
      added: true,
    };
    expect(parseReaction(reaction, context)).toEqual(added);
    expect(parseReaction({ ...reaction, type: 'reaction_removed' }, context)).toEqual({
      ...added,
      key: added.key.replace('added', 'removed'),
      added: false,
    });
  });

  test('is the same in every skin tone', () => {
    expect(parseReaction({ ...reaction, reaction: 'wave::skin-tone-3' }, context)).toHaveProperty(
      'name',
      'wave',
    );
  });

  test.each([
    ['to a file', { item: { type: 'file', file: 'F1' } }],
    ['of our own bot', { user: 'UBOT' }],
    ['without a name', { reaction: 7 }],
    ['to nothing', { item: null }],
    ['at no time', { event_ts: undefined }],
  ])('%s is not taken', (_, fields) => {
    expect(parseReaction({ ...reaction, ...fields }, context).kind).toBe('unsupported');
  });
});

function change(fields: Record<string, unknown>) {
  return parseMessage(
    {
      type: 'message',
      subtype: 'message_changed',
      channel: 'C1',
      ts: '1767224901.000100',
      event_ts: '1767224901.000100',
      previous_message: before,
      ...fields,
    },
    context,
  );
}
