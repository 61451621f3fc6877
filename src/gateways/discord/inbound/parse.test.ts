import { readFileSync } from 'node:fs';
import type { DiscordChannelSettings } from '@swarmgate/contract/channels/discord.ts';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { discordTexts } from '#locales/en.ts';
import type { InboundEvent, OpenChannel, RawRequest, Verified } from '../../gateway.ts';
import { parseDiscord } from './parse.ts';
import { type Fields, fieldsOf } from './payload.ts';
import { type SocketEvent, writeSocketEvent, writeSocketInteraction } from './socket-event.ts';
import { createTickets } from './ticket.ts';

const keyRing = createKeyRing([{ id: 'k', bytes: Buffer.alloc(32, 1) }]);
const tickets = createTickets(keyRing);
const nowMs = Date.parse('2026-01-05T00:50:00Z');
const parts = { tickets, texts: discordTexts, nowMs: () => nowMs };

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(
    readFileSync(new URL(`../../../../test/fixtures/discord/${name}.json`, import.meta.url), 'utf8'),
  );
const events = fixture('gateway-events');
const { botId, roleId } = events['metadata'] as { botId: string; roleId: string };

function aChannel(settings: Partial<DiscordChannelSettings> = {}): OpenChannel {
  const defaults = {
    socket: true,
    messageContent: true,
    replies: 'thread',
    forumPosts: 'mentions',
    streaming: true,
  };
  return {
    ...{ tenantId: 't' as Uuid, id: 'c' as Uuid, platform: 'discord', key: 'ck_x', secrets: {}, version: 1 },
    ...{ status: 'active', statusReason: undefined, tenantStatus: 'active', agent: undefined },
    ...{ tenantSettings: {}, organizationSettings: {}, settings: { ...defaults, ...settings } },
  };
}

function parseOne(request: Verified<RawRequest>, settings?: Partial<DiscordChannelSettings>) {
  const { events: parsed, reply } = parseDiscord(parts, request, aChannel(settings));
  return { event: parsed[0] as InboundEvent, events: parsed, reply: reply && JSON.parse(reply.body) };
}

/** A recorded event of the gateway, as the socket would hand it on. */
function recorded(
  given: unknown,
  settings?: Partial<DiscordChannelSettings>,
  more: { isThread?: boolean; change?: Fields } = {},
) {
  const { type, data } = given as { type: string; data: Fields };
  const event: SocketEvent = {
    name: type.replace('GATEWAY_', ''),
    data: { ...data, ...more.change },
    eventId: 'session/7',
    bot: { user: botId, roles: [roleId] },
    isThread: more.isThread ?? data['channel_type'] === 11,
  };
  return parseOne(writeSocketEvent(event), settings);
}

describe('recorded messages', () => {
  test('a mention in a channel begins a thread that is called as the message', () => {
    const { event } = recorded(events['gatewayMention']);
    expect(event).toEqual({
      kind: 'message',
      key: 'message/1457536551830421524',
      conversationExternalId: '1457536551830421524',
      participant: { externalId: '1033044521375764530', verified: true, profile: { name: 'Test User' } },
      text: 'Hey',
      content: {
        discord: {
          ...{ guild: '1457468924290662599', channel: '1457510428359004343' },
          ...{ id: '1457536551830421524', user: '1033044521375764530' },
        },
      },
    });
    expect(recorded(events['gatewayAIMention']).event).toMatchObject({ text: 'AI What is love' });
    const parent = fixture('channel')['mention'];
    expect(recorded(parent).event).toMatchObject({
      conversationExternalId: '1473118766652199044',
      text: 'Test',
    });
  });

  test('with the policy in_channel it is answered where it stands', () => {
    const { event } = recorded(events['gatewayMention'], { replies: 'in_channel' });
    expect(event).toMatchObject({ conversationExternalId: '#1457510428359004343' });
  });

  test('a message in a thread is kept where that is known, and answered by policy', () => {
    for (const name of ['gatewaySubscribedMessage', 'gatewayDMRequest']) {
      expect(recorded(events[name]).event).toMatchObject({
        ...{ kind: 'message', conversationExternalId: '1457536551830421524' },
        ...{ onlyIfKnown: true, needsAnswer: true },
      });
    }
    const { event } = recorded(events['gatewaySubscribedMessage'], { replies: 'mentions' });
    expect(event).toMatchObject({ onlyIfKnown: true, needsAnswer: false });
  });

  test('what the bot itself said is nothing', () => {
    expect(recorded(events['gatewayBotWelcome']).event).toEqual({
      kind: 'unsupported',
      reason: 'from a bot',
    });
  });

  test('a reaction names the message that it is to', () => {
    expect(recorded(events['gatewayReactionAdd']).event).toEqual({
      kind: 'reaction',
      key: 'reaction/1457536551830421524/1457536955662471180/1033044521375764530/session/7',
      target: {
        key: 'message/1457536955662471180',
        externalId: '1457536551830421524/1457536955662471180',
      },
      participantExternalId: '1033044521375764530',
      name: '👍',
      added: true,
    });
  });

  test('a new thread says nothing', () => {
    expect(recorded(events['gatewayThreadCreate']).event).toEqual({
      kind: 'unsupported',
      reason: 'THREAD_CREATE',
    });
  });
});

describe('forum posts', () => {
  const post = { id: '9', channel_id: '9', mentions: [], content: 'anybody?' };

  test.each([
    ['mentions', { onlyIfKnown: true }],
    ['all', { kind: 'message', conversationExternalId: '9' }],
  ] as const)('forumPosts: %s', (forumPosts, expected) => {
    const { event } = recorded(events['gatewayMention'], { forumPosts }, { isThread: true, change: post });
    expect(event).toMatchObject(expected);
    if (forumPosts === 'all') expect(event).not.toHaveProperty('onlyIfKnown');
  });
});

describe('messages of other kinds', () => {
  const of = (change: Fields) => recorded(events['gatewayMention'], {}, { change }).event;

  test('a pin, a join, a webhook and one without a content are none', () => {
    for (const type of [6, 7, 18, 21]) expect(of({ type })).toMatchObject({ kind: 'unsupported' });
    expect(of({ webhook_id: '5' })).toMatchObject({ kind: 'unsupported' });
    expect(of({ content: '' })).toMatchObject({ kind: 'unsupported' });
    expect(of({ author: null })).toMatchObject({ kind: 'unsupported' });
  });

  test('names, emoji, channels and times are shown as people see them', () => {
    const content = `<@${botId}> ask <@!8> in <#5> at <t:1700000000:R> <:wave:77> <a:b_c:78> <@&6> </ask:4>`;
    const mentions = [{ id: botId }, { id: '8', username: 'eight' }];
    expect(of({ content, mentions })).toMatchObject({
      text: 'ask @eight in #5 at 2023-11-14T22:13:20.000Z :wave: :b_c: @role-6 /ask',
    });
  });

  test('what is forwarded is quoted, and files come along', () => {
    const message_snapshots = [{ message: { content: 'first\nsecond' } }];
    expect(of({ content: `<@${botId}>`, message_snapshots })).toMatchObject({
      text: `@Chat SDK Demo\n\n> first\n> second`,
    });
    const attachments = [
      { id: '3', filename: 'a.png', content_type: 'image/png', size: 4, url: 'https://cdn.discordapp.com/a' },
      { id: 'x', url: 'https://cdn.discordapp.com/b' },
    ];
    expect(of({ attachments })).toMatchObject({
      attachments: [
        {
          ...{ name: 'a.png', contentType: 'image/png', sizeBytes: 4 },
          source: { url: 'https://cdn.discordapp.com/a', id: '3' },
        },
      ],
    });
  });
});

describe('recorded interactions', () => {
  const interactions = fixture('interactions');

  test.each([
    ['buttonClickHello', '1457536583141163186', 'Say Hello', 'hello'],
    ['buttonClickInfo', 'INTERACTION_INFO', 'Show Info', 'info'],
    ['buttonClickGoodbye', 'INTERACTION_GOODBYE', 'Goodbye', 'goodbye'],
  ])('%s is said in the words of its button, in its thread', (name, id, text, value) => {
    const { event, reply } = parseOne(writeSocketInteraction(interactions[name] as Fields));
    expect(reply).toEqual({ type: 5 });
    expect(event).toMatchObject({
      kind: 'action',
      key: `interaction/${id}`,
      conversationExternalId: '1457536551830421524',
      participant: { externalId: '1033044521375764530', profile: { name: 'Test User' } },
      text,
      content: { action: { value }, discord: { interaction: id } },
    });
  });

  test('its token is sealed: it opens for its own channel, for a quarter of an hour', () => {
    const given = interactions['buttonClickHello'] as Fields;
    const { event } = parseOne(writeSocketInteraction(given));
    if (event.kind !== 'action') throw new Error('It is no action.');
    expect(JSON.stringify(event)).not.toContain(given['token']);
    const channel = aChannel();
    const opened = tickets.open(channel, event.content, nowMs + 14 * 60_000);
    expect(opened).toEqual({
      ...{ applicationId: botId, interactionId: '1457536583141163186', token: given['token'] },
    });
    expect(tickets.open(channel, event.content, nowMs + 15 * 60_000)).toBeUndefined();
    expect(() => tickets.open({ ...channel, id: 'd' as Uuid }, event.content, nowMs)).toThrow();
    expect(() => tickets.open({ ...channel, tenantId: 'u' as Uuid }, event.content, nowMs)).toThrow();
    expect(fieldsOf(event.content['discord'])['askedAt']).toBe('2026-01-05T00:50:00.000Z');
  });

  test('a menu says what was chosen, and what is of no known kind says that it is not supported', () => {
    const given = interactions['buttonClickHello'] as Fields;
    const options = [
      { label: 'Red', value: 'r' },
      { label: 'Blue', value: 'b' },
    ];
    const message = { components: [{ type: 1, components: [{ type: 3, custom_id: 'colour', options }] }] };
    const data = { custom_id: 'colour', component_type: 3, values: ['b', 'r'] };
    const { event } = parseOne(writeSocketInteraction({ ...given, message, data }));
    expect(event).toMatchObject({ text: 'Red, Blue', content: { action: { value: 'b, r' } } });
    const { event: other, reply } = parseOne(writeSocketInteraction({ ...given, type: 99 }));
    expect(other).toMatchObject({ kind: 'unsupported' });
    expect(reply).toMatchObject({ type: 4, data: { flags: 64 } });
  });
});
