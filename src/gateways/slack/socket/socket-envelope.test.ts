import { expect, test } from 'vitest';
import { readSocketMessage } from './socket-envelope.ts';

const envelope = {
  envelope_id: 'e1',
  type: 'events_api',
  accepts_response_payload: false,
  payload: { type: 'event_callback', event: { type: 'message' } },
};

test.each(['hello', 'disconnect'])('what is about the connection is passed on as it came: %s', (type) => {
  const text = JSON.stringify({ type, reason: 'warning' });
  expect(readSocketMessage(text)).toEqual({ type, text });
});

test.each(['events_api', 'interactive', 'slash_commands'])(
  'an envelope is passed on as it came: %s',
  (type) => {
    const text = JSON.stringify({ ...envelope, type });
    expect(readSocketMessage(text)).toEqual({ type, text });
  },
);

test('an event that has none within gets an empty one, and keeps the rest', () => {
  const limited = { ...envelope, payload: { type: 'app_rate_limited', minute_rate_limited: 1 } };
  const { text = '' } = readSocketMessage(JSON.stringify(limited)) ?? {};
  expect(JSON.parse(text)).toEqual({ ...limited, payload: { ...limited.payload, event: {} } });
});

test.each<[string, unknown]>([
  ['no text', Buffer.from('{}')],
  ['no JSON', 'hello'],
  ['null', 'null'],
  ['a list', '[]'],
  ['another type', JSON.stringify({ ...envelope, type: 'goodbye' })],
  ['a type of an object', JSON.stringify({ ...envelope, type: 'constructor' })],
  ['no id', JSON.stringify({ ...envelope, envelope_id: undefined })],
  ['no payload', JSON.stringify({ ...envelope, payload: undefined })],
  ['a payload that is null', JSON.stringify({ ...envelope, payload: null })],
  ['a payload that is text', JSON.stringify({ ...envelope, payload: 'text' })],
])('what nobody knows is left out: %s', (_, data) => {
  expect(readSocketMessage(data)).toBeUndefined();
});
