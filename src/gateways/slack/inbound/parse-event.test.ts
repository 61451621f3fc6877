import { describe, expect, test } from 'vitest';
import type { InboundEvent } from '../../gateway.ts';
import { parseEvent } from './parse-event.ts';

describe('the connection ends', () => {
  test('when the app is removed, and the operator reads what to do', () => {
    expect(parse({ type: 'app_uninstalled' })).toEqual({
      kind: 'disconnected',
      reason: expect.stringMatching(
        /was removed from the workspace\. Install the app again .*new botToken\.$/,
      ),
    });
  });

  test('when the bot’s token is revoked', () => {
    expect(parse({ type: 'tokens_revoked', tokens: { oauth: ['U1'], bot: ['UBOT'] } })).toEqual({
      kind: 'disconnected',
      reason: expect.stringMatching(
        /token of the Slack app was revoked\. Install the app again .*new botToken\.$/,
      ),
    });
  });

  test.each([[{ oauth: ['U1'] }], [{ oauth: ['U1'], bot: [] }], [{ bot: 'UBOT' }], [undefined]])(
    'but not with a person’s token: %j',
    (tokens) => {
      expect(parse({ type: 'tokens_revoked', tokens })).toMatchObject({ kind: 'unsupported' });
    },
  );
});

describe('opened is', () => {
  test('the app’s home', () => {
    expect(parse({ type: 'app_home_opened', user: 'U1', channel: 'D1', tab: 'home' })).toEqual({
      kind: 'opening',
      view: 'home',
      details: { user: 'U1', tab: 'home' },
    });
  });

  test('nothing, when somebody looks at the messages there', () => {
    expect(parse({ type: 'app_home_opened', user: 'U1', tab: 'messages' })).toEqual({
      kind: 'unsupported',
      reason: 'app_home_opened/messages',
    });
  });

  test.each([
    ['assistant_thread_started', false],
    ['assistant_thread_context_changed', true],
  ])('an assistant (%s)', (type, changed) => {
    const thread = {
      user_id: 'U1',
      channel_id: 'D1',
      thread_ts: '1767224000.000100',
      context: { channel_id: 'C2', team_id: 'T1', enterprise_id: null, force_search: false },
    };
    expect(parse({ type, assistant_thread: thread })).toEqual({
      kind: 'opening',
      view: 'assistant',
      details: {
        channel: 'D1',
        threadTs: '1767224000.000100',
        user: 'U1',
        changed,
        context: { channel: 'C2', team: 'T1' },
      },
    });
    expect(parse({ type, assistant_thread: null })).toMatchObject({ kind: 'unsupported' });
  });
});

test.each([
  'member_joined_channel',
  'member_left_channel',
  'user_change',
  'team_access_granted',
  'app_context_changed',
  'agent_session_stopped',
  'a_kind_of_next_year',
])('%s is not supported, and says so', (type) => {
  expect(parse({ type, user: 'U1' })).toEqual({ kind: 'unsupported', reason: type });
});

test.each([7, null, undefined, 'a sentence\nwith "marks"', 'x'.repeat(1_000), { type: 'message' }])(
  'a kind %j is not repeated',
  (type) => {
    expect(parse({ type })).toEqual({ kind: 'unsupported', reason: 'unknown' });
  },
);

test('what is no event is not supported', () => {
  const context = { team: 'T1', botUserIds: new Set<string>(), replies: 'thread' } as const;
  expect(parseEvent({ type: 'app_rate_limited', team_id: 'T1' }, context)).toEqual({
    kind: 'unsupported',
    reason: 'app_rate_limited',
  });
});

function parse(event: Record<string, unknown>): InboundEvent {
  const context = { team: 'T1', botUserIds: new Set(['UBOT']), replies: 'thread' } as const;
  return parseEvent({ type: 'event_callback', event_id: 'Ev1', event }, context);
}
