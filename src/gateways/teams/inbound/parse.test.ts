import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import type { OpenChannel, RawRequest, Verified } from '../../gateway.ts';
import { identifyTeams } from './identify.ts';
import { parseTeams } from './parse.ts';

/** Recorded activities: test/fixtures/teams. */
type Activity = Record<string, unknown>;
const recorded = (file: string): Record<string, Activity> =>
  JSON.parse(readFileSync(new URL(`../../../../test/fixtures/teams/${file}.json`, import.meta.url), 'utf8'));

const tenant = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const user = '29:1xXxFakeUserBase64IdStringForTeamsPlatformAbcDeFgHiJkLmNoPqRsTuVwXyZ012345ABCDEF';
const channelId = '19:d441d38c655c47a085215b2726e76927@thread.tacv2';
const texts = {
  ...{
    sources: 'Sources',
    files: 'Files',
    actionTaken: 'Got it.',
    file: { offer: 'A file', taken: 'Taken', failed: 'Failed' },
  },
  question: { title: 'Ask', label: 'Your question', submit: 'Ask', asked: 'Thank you.' },
};

const channelWith = (replies: 'thread' | 'mentions' = 'thread'): OpenChannel => ({
  ...{ tenantId: newId(), id: newId(), platform: 'teams', key: 'ck_teams', secrets: {}, version: 1 },
  settings: { aadTenant: tenant, replies, streaming: true, requestsPerSecond: 30 },
  ...{ status: 'active', statusReason: undefined, tenantStatus: 'active', agent: undefined },
  ...{ tenantSettings: {}, organizationSettings: {} },
});

const requestOf = (activity: unknown): Verified<RawRequest> => {
  const body = Buffer.from(JSON.stringify(activity));
  return {
    method: 'POST',
    urls: [],
    endpoint: 'messages',
    headers: {},
    body,
  } as unknown as Verified<RawRequest>;
};

const parse = (activity: unknown, replies?: 'mentions') =>
  parseTeams(requestOf(activity), channelWith(replies), texts);

describe('recorded activities', () => {
  test('are of the tenant that they name', () => {
    for (const file of ['basic', 'dm', 'channel', 'actions-reactions'])
      for (const activity of Object.values(recorded(file)).filter((one) => typeof one === 'object'))
        expect(identifyTeams(requestOf(activity))).toEqual({
          kind: 'accounts',
          accounts: [{ kind: 'aad_tenant', key: tenant }],
        });
  });

  test.each([
    ['basic', '1767224924615', 'Hey'],
    ['dm', '1767377017138', 'Hey'],
    ['channel', '1771290107407', 'Hey'],
    ['actions-reactions', '1767326091220', 'Test'],
  ])('%s: a mention in a channel is a message in its thread', (file, id, text) => {
    const { events, references } = parse(recorded(file)['mention']);
    expect(events).toMatchObject([
      {
        kind: 'message',
        key: `message/${tenant}/${channelId}/${id}`,
        conversationExternalId: `${channelId};messageid=${id}`,
        participant: { externalId: user, verified: true, profile: { name: 'Test User' } },
        text,
      },
    ]);
    expect(events[0]).not.toHaveProperty('onlyIfKnown');
    expect(references).toEqual([
      {
        conversationExternalId: channelId,
        reference: {
          serviceUrl: `https://smba.trafficmanager.net/amer/${tenant}/`,
          conversationId: channelId,
          aadTenant: tenant,
          botId: '28:11111111-2222-3333-4444-555555555555',
        },
      },
    ]);
  });

  test('a reply in a thread without a mention is kept where the bot takes part, and answered by its policy', () => {
    const { followUp } = recorded('basic');
    expect(parse(followUp).events).toMatchObject([{ kind: 'message', text: 'Hi', onlyIfKnown: true }]);
    expect(parse(followUp).events[0]).not.toHaveProperty('needsAnswer');
    expect(parse(followUp, 'mentions').events).toMatchObject([{ onlyIfKnown: true, needsAnswer: false }]);
  });

  test('a message in a personal chat is one to the person', () => {
    const { dmMessage } = recorded('dm');
    const { events, references } = parse(dmMessage);
    expect(events).toMatchObject([{ kind: 'message', text: 'Hey', conversationExternalId: `@${user}` }]);
    expect(references).toMatchObject([
      {
        conversationExternalId: `@${user}`,
        reference: { conversationId: expect.stringMatching(/^a:17Ndit/) },
      },
    ]);
  });

  test('a button that was pressed says its action', () => {
    expect(parse(recorded('actions-reactions')['action']).events).toMatchObject([
      {
        kind: 'action',
        key: `action/${tenant}/${channelId}/f:975cac46-e795-f39b-0c0d-491c14495a9b`,
        conversationExternalId: `${channelId};messageid=1767326091220`,
        text: 'info',
      },
    ]);
  });

  test('a file that somebody takes is asked of the gateway itself, under the key of its activity', () => {
    const { dmMessage, dmConversationId } = recorded('dm');
    const url = 'https://contoso.sharepoint.com/upload/1';
    const upload = { name: 'r.txt', uniqueId: 'u1', fileType: 'txt' };
    const consent = (value: object) => ({
      ...(dmMessage as object),
      ...{ type: 'invoke', name: 'fileConsent/invoke', id: 'f:1' },
      value: {
        ...{ type: 'fileUpload', action: 'accept', context: { link: 'the-link' } },
        ...{ uploadInfo: { ...upload, uploadUrl: url }, ...value },
      },
    });
    expect(parse(consent({})).events).toEqual([
      {
        kind: 'request',
        key: `taken/${tenant}/${dmConversationId}/f:1`,
        conversationExternalId: `@${user}`,
        participantExternalId: user,
        text: 'Taken',
        content: { teams: { handOver: { link: 'the-link', upload: { ...upload, url } } } },
      },
    ]);
    for (const wrong of [
      { action: 'decline' },
      { context: {} },
      { uploadInfo: upload },
      { uploadInfo: { ...upload, uploadUrl: 'file:///etc/passwd' } },
    ])
      expect(parse(consent(wrong)).events).toMatchObject([{ kind: 'unsupported' }]);
  });

  test('a reaction names the message that it is to', () => {
    expect(parse(recorded('actions-reactions')['reaction']).events).toEqual([
      {
        kind: 'reaction',
        key: `reaction/${tenant}/${channelId}/1767326111492/${user}/added/like/2026-01-02T03:55:18.9534472Z`,
        target: {
          key: `message/${tenant}/${channelId}/1767326111492`,
          externalId: `${channelId}/1767326111492`,
        },
        participantExternalId: user,
        name: 'like',
        added: true,
      },
    ]);
  });
});

describe('what was not recorded', () => {
  const { dmMessage = {} } = recorded('dm');
  const channelData = { tenant: { id: tenant } };

  test('edits, deletions and what was deleted by mistake', () => {
    const edit = {
      ...dmMessage,
      type: 'messageUpdate',
      text: 'Hey you',
      channelData: { ...channelData, eventType: 'editMessage' },
    };
    expect(parse(edit).events).toMatchObject([
      {
        kind: 'edit',
        text: 'Hey you',
        target: { key: expect.stringMatching(/^message\/.*\/1767378504354$/) },
        key: expect.stringMatching(/^edit\/.*\/1767378504354\/2026-01-02T18:28:24\.3788393Z$/),
      },
    ]);
    const deletion = { ...edit, type: 'messageDelete' };
    expect(parse(deletion).events).toMatchObject([{ kind: 'delete' }]);
    const undo = { ...edit, channelData: { ...channelData, eventType: 'undeleteMessage' } };
    expect(parse(undo).events).toEqual([{ kind: 'unsupported', reason: 'messageUpdate/undeleteMessage' }]);
  });

  test('two reactions at once are two events; one is taken back before the other is given', () => {
    const { reaction } = recorded('actions-reactions');
    const both = {
      ...reaction,
      reactionsAdded: [{ type: 'like' }, { type: 'heart' }],
      reactionsRemoved: [{ type: 'sad' }],
    };
    expect(parse(both).events.map((event) => event.kind === 'reaction' && [event.name, event.added])).toEqual(
      [
        ['sad', false],
        ['like', true],
        ['heart', true],
      ],
    );
  });

  test('the bot’s own coming and going says where it may write; that of others does not', () => {
    const added = {
      ...dmMessage,
      type: 'conversationUpdate',
      membersAdded: [{ id: '28:11111111-2222-3333-4444-555555555555' }],
    };
    expect(parse(added).references).toHaveLength(1);
    expect(parse(added).references?.[0]).not.toHaveProperty('blockedReason');
    const other = { ...dmMessage, type: 'conversationUpdate', membersAdded: [{ id: '29:other' }] };
    expect(parse(other).references).toBeUndefined();
    const removed = { ...dmMessage, type: 'installationUpdate', action: 'remove' };
    expect(parse(removed).references).toMatchObject([{ blockedReason: expect.stringContaining('removed') }]);
    expect(parse({ ...removed, action: 'add-upgrade' }).references?.[0]).not.toHaveProperty('blockedReason');
  });

  test('a guest is one of the tenant that the conversation is in, and is marked', () => {
    const guest = { ...dmMessage, channelData: { tenant: { id: '99999999-5678-7890-abcd-ef1234567890' } } };
    expect(identifyTeams(requestOf(guest))).toMatchObject({ accounts: [{ key: tenant }] });
    expect(parse(guest).events).toMatchObject([
      { participant: { profile: { tenant: '99999999-5678-7890-abcd-ef1234567890' } } },
    ]);
  });

  test('files come with their addresses; pictures with that of the service, which wants our token', () => {
    const attachments = [
      {
        contentType: 'application/vnd.microsoft.teams.file.download.info',
        content: { downloadUrl: 'https://contoso.sharepoint.com/x', uniqueId: 'u', fileType: 'pdf' },
        name: 'plan.pdf',
      },
      { contentType: 'image/png', contentUrl: 'https://smba.trafficmanager.net/amer/v3/attachments/1' },
      { contentType: 'text/html', content: '<p>Hey</p>' },
      null,
    ];
    expect(parse({ ...dmMessage, attachments }).events).toMatchObject([
      {
        attachments: [
          {
            name: 'plan.pdf',
            contentType: 'application/pdf',
            source: { url: 'https://contoso.sharepoint.com/x' },
          },
          {
            contentType: 'image/png',
            source: {
              url: 'https://smba.trafficmanager.net/amer/v3/attachments/1',
              serviceUrl: `https://smba.trafficmanager.net/amer/${tenant}/`,
            },
          },
        ],
      },
    ]);
  });

  test.each(['constructor', '__proto__', '', 'exe'])(
    'a file with an ending that is no kind of ours is nothing in particular: %j',
    (fileType) => {
      const contentType = 'application/vnd.microsoft.teams.file.download.info';
      const content = { downloadUrl: 'https://contoso.sharepoint.com/x', uniqueId: 'u', fileType };
      const attachments = [{ contentType, content, name: 'a file' }];
      expect(parse({ ...dmMessage, attachments }).events).toMatchObject([
        { attachments: [{ contentType: 'application/octet-stream' }] },
      ]);
    },
  );

  test.each<[string, unknown]>([
    ['nothing', {}],
    ['fields of other types', { type: 7, id: {}, from: 'me', conversation: [], text: 9, attachments: 'x' }],
    ['no conversation', { ...dmMessage, conversation: undefined }],
    ['an id with a slash', { ...dmMessage, id: 'a/b' }],
    ['an id with a line break', { ...dmMessage, conversation: { id: 'a:1\n2', tenantId: tenant } }],
    ['a message that says nothing', { ...dmMessage, text: '  ' }],
    ['a message of a bot', { ...dmMessage, from: { id: '28:9' } }],
    ['typing', { ...dmMessage, type: 'typing' }],
    ['a kind that nobody knows', { ...dmMessage, type: 'skyFell' }],
    ['a kind that is no word', { ...dmMessage, type: '<script>' }],
    ['reactions to nothing', { ...dmMessage, type: 'messageReaction', reactionsAdded: [{ type: 'like' }] }],
  ])('%s is acknowledged and not kept', (_what, activity) => {
    const { events } = parse(activity);
    expect(events.map(({ kind }) => kind)).toEqual(['unsupported']);
    expect(JSON.stringify(events)).not.toContain('script');
  });
});
