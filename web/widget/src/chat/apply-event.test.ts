import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import { describe, expect, test } from 'vitest';
import { applyEvent } from './apply-event.ts';
import { initialState } from './chat-state.ts';
import { countUnread, mergeMessages } from './transcript.ts';

const message = (sequence: number, change: Partial<ChatMessage> = {}): ChatMessage => ({
  id: `msg_${sequence}`,
  sequence,
  role: 'agent',
  text: `text ${sequence}`,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...change,
});
const running = applyEvent(initialState, {
  event: 'delta',
  data: { turnId: 'trn_1', attempt: 1, offset: 0, text: 'half' },
});

describe('an event of the stream', () => {
  test('that brings an answer takes its draft away', () => {
    const state = { ...initialState, ...running };
    const change = applyEvent(state, { event: 'message', data: message(2, { inReplyTo: 'msg_1' }) });
    expect(change.turns?.running).toEqual([]);
  });

  test('that brings a person into the conversation leaves the draft alone', () => {
    const state = { ...initialState, ...running };
    const change = applyEvent(state, { event: 'message', data: message(2, { role: 'operator' }) });
    expect(change.turns?.running).toHaveLength(1);
  });

  test('that comes a second time changes nothing', () => {
    const state = { ...initialState, ...running, messages: [message(2, { inReplyTo: 'msg_1' })] };
    const change = applyEvent(state, { event: 'message', data: message(2, { inReplyTo: 'msg_1' }) });
    expect(change).toEqual({ messages: state.messages, turns: state.turns });
  });

  test('that changes a message puts the new text in its place', () => {
    const state = { ...initialState, messages: [message(1), message(2)] };
    const change = applyEvent(state, { event: 'message.updated', data: message(1, { text: 'better' }) });
    expect(change.messages?.map(({ text }) => text)).toEqual(['better', 'text 2']);
  });

  test('that says that the turn is over keeps its text until the answer is there', () => {
    const state = { ...initialState, ...running };
    const change = applyEvent(state, { event: 'turn', data: { turnId: 'trn_1', state: 'finished' } });
    expect(change.turns?.running).toMatchObject([{ text: 'half', isEnding: true }]);
  });

  test('of a later version changes nothing', () => {
    const unknown = { event: 'reaction', data: {} } as unknown as Parameters<typeof applyEvent>[1];
    expect({ ...initialState, ...applyEvent(initialState, unknown) }).toEqual(initialState);
  });
});

test('messages stand in the order of their sequence, however they came', () => {
  const merged = mergeMessages([message(3), message(5)], [message(4), message(1), message(3)]);
  expect(merged.map(({ sequence }) => sequence)).toEqual([1, 3, 4, 5]);
});

test('unread is what the other side has said since', () => {
  const transcript = [
    message(1),
    message(2, { role: 'visitor' }),
    message(3),
    message(4, { role: 'operator' }),
  ];
  expect([0, 1, 3, 4].map((read) => countUnread(transcript, read))).toEqual([3, 2, 1, 0]);
});
