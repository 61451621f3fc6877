import { describe, expect, test } from 'vitest';
import { describeFailure, isBlock } from './failures.ts';
import { ConnectorFailure } from './sdk.ts';

const failed = (
  given: ConstructorParameters<typeof ConnectorFailure>[0],
  kind: 'adding' | 'changing' = 'adding',
) => describeFailure(new ConnectorFailure(given), kind);

describe('what a failed call means', () => {
  test.each([
    [
      { status: 429, retryAfter: '7' },
      { code: 'gateway_rate_limited', retryAfterMs: 7_000, mayHaveArrived: false },
    ],
    [{ status: 429 }, { code: 'gateway_rate_limited', retryAfterMs: undefined }],
    [
      { status: 429, retryAfter: 'soon' },
      { code: 'gateway_rate_limited', retryAfterMs: undefined },
    ],
    [
      { status: 412, code: 'PreconditionFailed' },
      { code: 'gateway_unavailable', mayHaveArrived: false },
    ],
    [{ status: 502 }, { code: 'gateway_unavailable', mayHaveArrived: true }],
    [{ status: 504 }, { code: 'gateway_unavailable', mayHaveArrived: true }],
    [{ status: 500 }, { code: 'gateway_unavailable', mayHaveArrived: true }],
    [{}, { code: 'gateway_unavailable', mayHaveArrived: true }],
    [{ code: 'ECONNREFUSED' }, { code: 'gateway_unavailable', mayHaveArrived: false }],
    [{ code: 'ECONNRESET' }, { code: 'gateway_unavailable', mayHaveArrived: true }],
    [{ status: 401 }, { code: 'gateway_credentials_refused' }],
    [{ status: 403, code: 'Forbidden' }, { code: 'gateway_recipient_gone' }],
    [{ status: 404, code: 'ConversationNotFound' }, { code: 'gateway_recipient_gone' }],
    [{ status: 413, code: 'MessageSizeTooBig' }, { code: 'gateway_message_refused' }],
    [
      { status: 400, code: 'BadSyntax' },
      { code: 'gateway_message_refused', platformCode: 'BadSyntax' },
    ],
  ])('%j', (given, expected) => {
    expect(failed(given)).toMatchObject(expected);
  });

  test('nothing is there twice after a call that changes something', () => {
    for (const given of [{ status: 502 }, { status: 504 }, {}])
      expect(failed(given, 'changing').mayHaveArrived).toBe(false);
  });

  test.each([
    ['MessageWritesBlocked', true],
    ['ConversationBlockedByUser', true],
    ['BotNotInConversationRoster', true],
    ['ForbiddenOperationException', true],
    ['Forbidden', false],
  ])('%s: is the conversation blocked? %s', (code, expected) => {
    expect(isBlock(failed({ status: 403, code }))).toBe(expected);
  });
});
