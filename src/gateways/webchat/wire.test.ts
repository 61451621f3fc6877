import { expect, test } from 'vitest';
import type { TranscriptMessage } from '../journey.ts';
import { toChatMessage } from './wire.ts';

const stored: TranscriptMessage = {
  id: '0198c0de-0000-7000-8000-000000000001',
  sequence: 2,
  revision: 5,
  role: 'agent',
  text: 'Yes.',
  content: {},
  clientId: undefined,
  inReplyToId: undefined,
  createdAt: new Date('2026-11-23T12:00:00.000Z'),
};

test('a message has what the wire names and nothing of its storage', () => {
  expect(toChatMessage({ ...stored, content: { cancelled: true, internal: 'note' } })).toEqual({
    id: 'msg_0198c0de000070008000000000000001',
    sequence: 2,
    role: 'agent',
    text: 'Yes.',
    createdAt: '2026-11-23T12:00:00.000Z',
  });
});

test('an answer names its question and its sources', () => {
  const sources = [{ title: 'Handbook', url: 'https://acme.example/handbook' }];
  const inReplyToId = '0198c0de-0000-7000-8000-000000000002';
  expect(toChatMessage({ ...stored, inReplyToId, content: { sources } })).toMatchObject({
    inReplyTo: 'msg_0198c0de000070008000000000000002',
    sources,
  });
});

test('a visitor’s own message comes back with the id that the visitor gave it', () => {
  expect(toChatMessage({ ...stored, role: 'visitor', clientId: 'c' })).toMatchObject({ clientId: 'c' });
});
