import { expect, test } from 'vitest';
import { parseCommand } from './parse-command.ts';

const context = { team: 'T1', botUserIds: new Set<string>(), replies: 'mentions' } as const;
const fields = {
  user_id: 'U1',
  user_name: 'ann',
  channel_id: 'C1',
  trigger_id: '1.2.abc',
  command: '/ask',
  text: ' a &lt; b? ',
};

test('a command with a text is a direct message, and the person learns where its answer will be', () => {
  const { events, reply } = parseCommand(fields, context);
  expect(events).toEqual([
    {
      kind: 'message',
      key: 'command/T1/1.2.abc',
      conversationExternalId: '@U1',
      participant: { externalId: 'U1', verified: true, profile: { name: 'ann', team: 'T1' } },
      text: 'a < b?',
      content: { slack: { team: 'T1', channel: 'C1', user: 'U1', command: '/ask' } },
    },
  ]);
  expect(reply).toMatchObject({ status: 200, contentType: expect.stringContaining('application/json') });
  expect(JSON.parse(reply?.body ?? '')).toEqual({
    response_type: 'ephemeral',
    text: expect.stringContaining('direct message'),
  });
});

test.each(['', '  ', undefined])('without a text (%j) it opens the form for a question', (text) => {
  expect(parseCommand({ ...fields, text }, context)).toEqual({
    events: [{ kind: 'opening', view: 'question', details: { triggerId: '1.2.abc', user: 'U1' } }],
  });
});

test.each(['user_id', 'trigger_id'])('without %s it is not taken', (name) => {
  expect(parseCommand({ ...fields, [name]: undefined }, context).events).toMatchObject([
    { kind: 'unsupported' },
  ]);
});
