import { expect, test } from 'vitest';
import { GatewayError } from '../../gateway-error.ts';
import type { DiscordApp } from '../channel.ts';
import type { DiscordCall } from './api-call.ts';
import { createKnownRefusals } from './known-refusals.ts';

const app: DiscordApp = { applicationId: '1', account: '', botToken: 'token', apiUrl: undefined };
const post = (channel: string): DiscordCall => ({ method: 'POST', route: `/channels/${channel}/messages` });
const refused = (platformCode: string) =>
  new GatewayError('recipient_gone', 'Discord says no.', { platformCode });

test('a permission that is missing fails the same call in the same channel for five minutes, and no other', () => {
  let nowMs = 0;
  const known = createKnownRefusals(() => nowMs);
  const error = refused('50013');
  known.note(app, post('7'), error);
  expect(known.find(app, post('7'))).toBe(error);
  expect(known.find(app, post('8'))).toBeUndefined();
  expect(known.find(app, { method: 'POST', route: '/channels/7/typing' })).toBeUndefined();
  expect(known.find({ ...app, botToken: 'another' }, post('7'))).toBeUndefined();
  nowMs = 5 * 60_000;
  expect(known.find(app, post('7'))).toBeUndefined();
});

test('threads of different messages are one kind of call', () => {
  const known = createKnownRefusals(() => 0);
  known.note(app, { method: 'POST', route: '/channels/7/messages/11/threads' }, refused('50013'));
  expect(known.find(app, { method: 'POST', route: '/channels/7/messages/12/threads' })).toBeDefined();
});

test('a channel that cannot be looked into takes nothing at all', () => {
  const known = createKnownRefusals(() => 0);
  known.note(app, { method: 'GET', route: '/channels/7' }, refused('50001'));
  expect(known.find(app, post('7'))).toMatchObject({ platformCode: '50001' });
});

test('what is no matter of permissions is asked again', () => {
  const known = createKnownRefusals(() => 0);
  known.note(app, post('7'), refused('50035'));
  expect(known.find(app, post('7'))).toBeUndefined();
});
