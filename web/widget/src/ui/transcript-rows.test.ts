import type { ChatMessage } from '@swarmgate/contract/web-chat.ts';
import { expect, test } from 'vitest';
import { initialState } from '../chat/chat-state.ts';
import { timeOf } from './time-of.ts';
import { transcriptRows } from './transcript-rows.ts';

const message = (sequence: number, role: ChatMessage['role'], minute: number): ChatMessage => ({
  id: `msg_${sequence}`,
  sequence,
  role,
  text: '',
  createdAt: `2026-01-01T10:${String(minute).padStart(2, '0')}:00.000Z`,
});

test('a group begins with another author, or after a while', () => {
  const messages = [
    message(1, 'visitor', 0),
    message(2, 'visitor', 2),
    message(3, 'agent', 2),
    message(4, 'agent', 9),
    message(5, 'operator', 9),
  ];
  expect(transcriptRows({ ...initialState, messages }).map(({ begins }) => begins)).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
});

test('what is in the making and what is not sent yet stand at the end', () => {
  const rows = transcriptRows({
    ...initialState,
    messages: [message(1, 'visitor', 0)],
    turns: { running: [{ turnId: 'trn_1', attempt: 1, text: '', isEnding: false }], over: [] },
    outbox: [
      { id: 'a', text: 'x', createdAt: '' },
      { id: 'b', text: 'y', createdAt: '' },
    ],
  });
  expect(rows.map(({ key, begins }) => [key, begins])).toEqual([
    ['msg_1', true],
    ['trn_1', true],
    ['a', true],
    ['b', false],
  ]);
});

test('the time of today stands alone, another day brings its date', () => {
  const now = new Date();
  expect(timeOf(now.toISOString(), 'en-GB')).toMatch(/^\d\d:\d\d$/);
  expect(timeOf('2020-02-03T12:00:00.000Z', 'en-GB')).toMatch(/^3 Feb 2020,? /);
});
