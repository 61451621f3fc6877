import { expect, test } from 'vitest';
import { sightOf } from './may-read.ts';

const view = String(1 << 10);
const history = String(1 << 16);
const both = String((1 << 10) | (1 << 16));
const bot = { user: '900', applicationId: '900' };
const aGuild = (more: object = {}) => ({
  id: '1',
  roles: [
    { id: '1', permissions: both },
    { id: '50', permissions: '0', tags: { bot_id: '900' } },
    { id: '60', permissions: '0' },
  ],
  members: [{ user: { id: '900' }, roles: ['60'] }],
  ...more,
});
const aChannel = (...rules: object[]) => ({ id: '7', permission_overwrites: rules });

test.each([
  ['nothing is denied', aChannel(), 'all'],
  ['everybody is denied the view', aChannel({ id: '1', deny: view, allow: '0' }), 'unseen'],
  ['the bot’s role is denied the past', aChannel({ id: '50', deny: history, allow: '0' }), 'unread'],
  ['another role of the bot’s is denied the view', aChannel({ id: '60', deny: view, allow: '0' }), 'unseen'],
  ['a role that the bot has not is denied', aChannel({ id: '70', deny: view, allow: '0' }), 'all'],
  [
    'everybody is denied, and the bot’s role allowed',
    aChannel({ id: '1', deny: both, allow: '0' }, { id: '50', deny: '0', allow: both }),
    'all',
  ],
  [
    'a role is allowed, and the bot itself denied',
    aChannel({ id: '50', deny: '0', allow: both }, { id: '900', deny: view, allow: '0' }),
    'unseen',
  ],
])('%s: %#', (_why, channel, sight) => expect(sightOf(aGuild(), channel, bot)).toBe(sight));

test('an administrator and an owner see everything, whatever a channel says', () => {
  const channel = aChannel({ id: '1', deny: both, allow: '0' });
  expect(sightOf(aGuild({ owner_id: '900' }), channel, bot)).toBe('all');
  const roles = [
    { id: '1', permissions: both },
    { id: '60', permissions: '8' },
  ];
  expect(sightOf(aGuild({ roles }), channel, bot)).toBe('all');
});

test('a thread is seen as its channel is', () => {
  const thread = { id: '8', parent_id: '7' };
  const guild = aGuild({ channels: [aChannel({ id: '1', deny: view, allow: '0' })], threads: [thread] });
  expect(sightOf(guild, thread, bot)).toBe('unseen');
});

test('where the server says nothing about permissions, it is tried', () =>
  expect(sightOf({ id: '1' }, aChannel(), bot)).toBe('all'));
