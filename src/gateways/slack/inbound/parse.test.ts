import { readdirSync, readFileSync } from 'node:fs';
import type { SlackChannelSettings } from '@swarmgate/contract/channels/slack.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { OpenChannel, RawRequest, Verified } from '../../gateway.ts';
import { identifySlack } from './identify.ts';
import { parseSlack } from './parse.ts';

type Json = Record<string, unknown>;
const fixtures = new URL('../../../../test/fixtures/slack/', import.meta.url);
const files = readdirSync(fixtures).filter((name) => name.endsWith('.json'));
const payloads = files.flatMap((file) => {
  const named: Json = JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));
  return Object.entries(named)
    .filter((entry): entry is [string, Json] => typeof entry[1] === 'object')
    .map(([name, payload]) => ({ file, name, payload }));
});

test('there are recorded payloads of all files', () => {
  expect(files.length).toBeGreaterThanOrEqual(9);
  expect(new Set(payloads.map(({ file }) => file)).size).toBe(files.length);
});

test.each(payloads)('$file: $name', ({ payload }) => {
  const request = posted(payload);
  const parsed = parseSlack(request, aChannel());
  expect(parsed.events.length).toBeGreaterThan(0);
  expect({ identified: identifySlack(request), parsed }).toMatchSnapshot();
});

describe('who the bot is', () => {
  const event = { type: 'message', user: 'U1', channel: 'C1', ts: '1.1', text: '<@UBOT> Hey' };

  test('is known from the installation when the event does not say', () => {
    const request = posted({ type: 'event_callback', team_id: 'T1', event });
    expect(parseSlack(request, aChannel()).events).toMatchObject([{ kind: 'unsupported' }]);
    const channel = aChannel({ installation: { botUserId: 'UBOT' } });
    expect(parseSlack(request, channel).events).toMatchObject([{ kind: 'message', text: 'Hey' }]);
  });

  test('is not a person for whom the app may act', () => {
    const authorizations = [{ team_id: 'T1', user_id: 'UBOT', is_bot: false }];
    const request = posted({ type: 'event_callback', team_id: 'T1', authorizations, event });
    expect(parseSlack(request, aChannel()).events).toMatchObject([{ kind: 'unsupported' }]);
  });
});

test('the policy is the channel’s', () => {
  const event = { type: 'app_mention', user: 'U1', channel: 'C1', ts: '1.1', text: '<@UBOT> Hey' };
  const request = posted({ type: 'event_callback', team_id: 'T1', event });
  expect(parseSlack(request, aChannel()).events).toMatchObject([{ conversationExternalId: 'C1/1.1' }]);
  expect(parseSlack(request, aChannel({ replies: 'in_thread' })).events).toMatchObject([
    { conversationExternalId: 'C1' },
  ]);
});

describe('whatever is posted is read or refused, and never throws', () => {
  // Any value in the place of any other, with the names that Slack uses so that it gets deep into the readers.
  const names = namesIn(payloads.map(({ payload }) => payload));
  const kinds = [
    'message',
    'app_mention',
    'reaction_added',
    'message_changed',
    'message_deleted',
    'block_actions',
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6, depthSize: 'medium' },
      fc.constantFrom<unknown>(...kinds, 'view_submission', 'tokens_revoked', 'C1', 'U1', '1.1', 'T1'),
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom(...names, '__proto__', 'constructor', 'toString', 'length'),
        tie('tree'),
        {
          maxKeys: 8,
        },
      ),
    ),
  }));
  const changed = fc
    .tuple(fc.constantFrom(...payloads.map(({ payload }) => payload)), fc.nat(), tree)
    .map(([payload, place, value]) => withValueAt(payload, place, value));

  test.each([
    ['recorded payloads with one value changed', changed],
    [
      'payloads that nobody has recorded',
      fc.record({
        type: fc.constantFrom('event_callback', ...kinds),
        event: tree,
        actions: tree,
        view: tree,
        container: tree,
        user: tree,
        team: tree,
        authorizations: tree,
      }),
    ],
    ['any JSON', fc.jsonValue()],
  ] as [string, fc.Arbitrary<unknown>][])('%s', (_, arbitrary) => {
    fc.assert(
      fc.property(
        arbitrary,
        fc.constantFrom('its own', 'events', 'interactions', 'commands'),
        (payload, endpoint) => {
          const request = endpoint === 'its own' ? posted(payload) : postedTo(endpoint, payload);
          const identified = identifySlack(request);
          expect(['accounts', 'reply']).toContain(identified.kind);
          const { events } = parseSlack(request, aChannel());
          for (const event of events) checkEvent(event as unknown as Json);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('nesting as deep as a body can hold', () => {
    const depth = 20_000;
    for (const [open, close] of [
      ['[', ']'],
      ['{"elements":[', ']}'],
      ['{"event":', '}'],
    ]) {
      const nested = `${open?.repeat(depth)}null${close?.repeat(depth)}`;
      const body = `{"type":"event_callback","team_id":"T1","event":{"type":"message","text":${nested},"files":${nested}},"user":${nested}}`;
      const request = requestOf('events', body);
      expect(identifySlack(request).kind).toBe('accounts');
      expect(parseSlack(request, aChannel()).events).toMatchObject([{ kind: 'unsupported' }]);

      const form = `{"type":"block_actions","user":{"id":"U1"},"container":{"channel_id":"C1","message_ts":"1.1"},"actions":[{"action_id":"a","action_ts":"1.1","rich_text_value":${nested}}]}`;
      const pressed = requestOf('interactions', formOf({ payload: form }));
      expect(parseSlack(pressed, aChannel()).events).toMatchObject([{ kind: 'action', text: 'a' }]);
    }
  });
});

/** What everybody behind a gateway relies on. */
function checkEvent(event: Json): void {
  expect(typeof event['kind']).toBe('string');
  if (event['kind'] === 'unsupported') expect(event['reason']).toMatch(/^[\w/, ]{1,120}$/);
  if ('key' in event) expect(event['key']).toMatch(/^(message|edit|delete|reaction|action|command|view)\//);
  if ('text' in event) expect(typeof event['text']).toBe('string');
  if ('conversationExternalId' in event)
    expect(event['conversationExternalId']).toMatch(/^(@[\w-]+|[\w-]+(\/\d+\.\d+)?)$/);
  // It is kept as JSON.
  expect(JSON.parse(JSON.stringify(event))).toEqual(event);
}

/** As Slack posts it: what it is tells where. */
function posted(payload: unknown): Verified<RawRequest> {
  const { type, command }: Json = Object(payload);
  if (command !== undefined) return postedTo('commands', payload);
  const isInteraction = type === 'block_actions' || type === 'view_submission';
  return postedTo(isInteraction ? 'interactions' : 'events', payload);
}

function postedTo(endpoint: string, payload: unknown): Verified<RawRequest> {
  if (endpoint === 'events') return requestOf(endpoint, JSON.stringify(payload));
  if (endpoint === 'interactions') return requestOf(endpoint, formOf({ payload: JSON.stringify(payload) }));
  const fields = Object.entries(Object(payload)).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return requestOf(endpoint, formOf(fields));
}

function formOf(fields: Record<string, string> | [string, string][]): string {
  return String(new URLSearchParams(fields));
}

function requestOf(endpoint: string, body: string): Verified<RawRequest> {
  const request: RawRequest = { method: 'POST', urls: [], endpoint, headers: {}, body: Buffer.from(body) };
  return request as Verified<RawRequest>;
}

function aChannel(settings: Partial<SlackChannelSettings> = {}): OpenChannel {
  return {
    tenantId: newId(),
    id: newId(),
    platform: 'slack',
    key: 'ck_slack_test',
    settings: { replies: 'thread', streaming: true, ...settings },
    secrets: {},
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
  };
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...new Set([...own, ...Object.values(value).flatMap(namesIn)])];
}

/** A copy in which one value, counted through all levels, is another. */
function withValueAt(payload: Json, place: number, value: unknown): unknown {
  let count = 0;
  JSON.stringify(payload, (_key, part) => {
    count++;
    return part;
  });
  const changed = 1 + (place % (count - 1)); // the first is the payload itself
  let seen = 0;
  return JSON.parse(JSON.stringify(payload, (_key, part) => (seen++ === changed ? value : part)));
}

describe('the end of an installation', () => {
  const ended = (eventTime: number) =>
    posted({
      type: 'event_callback',
      team_id: 'T1',
      event_time: eventTime,
      event: { type: 'app_uninstalled' },
    });
  const installedAt = '2026-01-01T00:00:00.000Z';
  const seconds = Date.parse(installedAt) / 1_000;
  const channel = aChannel({ installation: { installedAt } });

  test('that is told late, when the app is installed again, ends nothing', () => {
    expect(parseSlack(ended(seconds - 60), channel).events).toMatchObject([{ kind: 'unsupported' }]);
  });

  test('is what it says otherwise', () => {
    expect(parseSlack(ended(seconds + 60), channel).events).toMatchObject([{ kind: 'disconnected' }]);
  });
});
