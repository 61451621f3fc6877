import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTeamsSimulator, type TeamsSimulator } from './simulator.ts';

/** That the stand-in refuses what Microsoft refuses: a judge that lets everything pass proves nothing. */
const one = { appId: '11111111-0000-0000-0000-000000000001', password: 'one', name: 'One' };
const two = { appId: '11111111-0000-0000-0000-000000000002', password: 'two', name: 'Two' };
const home = 'a0000000-0000-0000-0000-000000000001';
const elsewhere = 'a0000000-0000-0000-0000-000000000002';
const user = '29:ann';

let teams: TeamsSimulator;
let nowMs = 1_767_000_000_000;
beforeEach(async () => {
  nowMs = 1_767_000_000_000;
  teams = await startTeamsSimulator({ now: () => nowMs });
  teams.addApp(one);
  teams.addApp({ ...two, homeTenant: home });
});
afterEach(() => teams.close());

const accused = () => teams.violations.map(({ what }) => what);

async function askForToken(
  app: { appId: string; password: string },
  authority = 'botframework.com',
  more: Record<string, string> = {},
) {
  const response = await fetch(`${teams.loginUrl}/${authority}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: app.appId, client_secret: app.password },
      ...{ scope: 'https://api.botframework.com/.default', ...more },
    }),
  });
  const body = (await response.json()) as { access_token?: string; error?: string; error_codes?: number[] };
  return { status: response.status, ...body };
}

type Told = { status: number; code: string | undefined; id: string | undefined };

async function call(
  token: string,
  path: string,
  activity: object | string = { type: 'message', text: 'hello' },
  { method = 'POST', tenant = home } = {},
): Promise<Told> {
  const response = await fetch(`${teams.serviceUrlOf(tenant)}v3/conversations${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(method !== 'DELETE' && { body: typeof activity === 'string' ? activity : JSON.stringify(activity) }),
  });
  const body = (await response.json()) as { id?: string; error?: { code: string }; message?: string };
  const { subCode } = JSON.parse(body.message ?? '{}') as { subCode?: string };
  return { status: response.status, code: subCode ?? body.error?.code, id: body.id };
}

const into = (conversation: string) => `/${encodeURIComponent(conversation)}/activities`;

async function aToken(app = one, authority?: string): Promise<string> {
  return (await askForToken(app, authority)).access_token ?? '';
}

describe('tokens', () => {
  test('are given to bots that prove who they are, where they are registered', async () => {
    expect(await askForToken(one)).toMatchObject({ status: 200 });
    expect(await askForToken(two, home)).toMatchObject({ status: 200 });
    expect(teams.violations).toEqual([]);
    expect(await askForToken({ ...one, password: 'wrong' })).toMatchObject({
      status: 401,
      error_codes: [7_000_215],
    });
    expect(await askForToken(one, 'common')).toMatchObject({ status: 400, error: 'unauthorized_client' });
    expect(await askForToken(two)).toMatchObject({ status: 400 });
    expect(await askForToken(two, elsewhere)).toMatchObject({ status: 400 });
    expect(
      await askForToken(one, undefined, { scope: 'https://graph.microsoft.com/.default' }),
    ).toMatchObject({
      status: 400,
    });
    expect(accused()).toHaveLength(5);
  });

  test('that nobody was given, or that have run out, open nothing', async () => {
    const { id: chat } = teams.direct(one.appId, home, user);
    const token = await aToken();
    expect(await call(token, into(chat))).toMatchObject({ status: 201 });
    expect(await call('made-up', into(chat))).toMatchObject({ status: 401 });
    expect(accused()).toEqual(['a call came with a token that nobody was given']);
    nowMs += 60 * 60_000 + 1;
    expect(await call(token, into(chat))).toMatchObject({ status: 401 });
    teams.revokeTokens(one.appId);
    expect(await call(token, into(chat))).toMatchObject({ status: 401 });
  });

  test('of one bot open nothing of another’s', async () => {
    const { id: chat } = teams.direct(one.appId, home, user);
    const [own, other] = [await aToken(), await aToken(two, home)];
    const { id } = await call(own, into(chat));
    expect(await call(other, into(chat))).toMatchObject({ status: 403 });
    const { id: group } = teams.addConversation({ tenant: home, scope: 'groupChat' });
    for (const { appId } of [one, two]) teams.join(appId, group);
    const { id: post } = await call(own, into(group));
    expect(await call(other, `${into(group)}/${post}`, undefined, { method: 'PUT' })).toMatchObject({
      status: 403,
    });
    expect(await call(other, `${into(chat)}/${id}`, undefined, { method: 'DELETE' })).toMatchObject({
      status: 403,
    });
    expect(accused()).toEqual([
      'a bot wrote where it is not',
      'a bot changed what another has said',
      'a bot wrote where it is not',
    ]);
  });

  test('of a single-tenant bot open nothing in another tenant, nor does an address of another tenant', async () => {
    const far = teams.direct(two.appId, elsewhere, user);
    const token = await aToken(two, home);
    expect(await call(token, into(far.id), undefined, { tenant: elsewhere })).toMatchObject({ status: 403 });
    expect(await call(token, into(far.id))).toMatchObject({ status: 404 });
    expect(accused()).toEqual([
      'a single-tenant bot called another tenant',
      'a conversation was looked for in another tenant',
    ]);
  });
});

describe('what is sent', () => {
  test.each<[string, object | string, number]>([
    ['no JSON', 'nonsense', 400],
    ['no kind', { text: 'x' }, 400],
    ['nothing to show', { type: 'message', text: '' }, 400],
    ['a text that is none', { type: 'message', text: 7 }, 400],
    ['a format that nobody knows', { type: 'message', text: 'x', textFormat: 'rtf' }, 400],
    [
      'a mention of nobody',
      { type: 'message', text: 'x', entities: [{ type: 'mention', mentioned: {} }] },
      400,
    ],
    [
      'a mention that the text does not have',
      {
        type: 'message',
        text: 'x',
        entities: [{ type: 'mention', mentioned: { id: '29:a' }, text: '<at>A</at>' }],
      },
      400,
    ],
    ['an attachment that nobody knows', { type: 'message', attachments: [{ contentType: 'x/y' }] }, 400],
    [
      'a card of no version',
      {
        type: 'message',
        attachments: [
          { contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } },
        ],
      },
      400,
    ],
    [
      'a button without a title',
      {
        type: 'message',
        attachments: [
          {
            contentType: 'application/vnd.microsoft.card.adaptive',
            content: {
              ...{ type: 'AdaptiveCard', version: '1.4' },
              body: [{ type: 'ActionSet', actions: [{ type: 'Action.Execute', verb: 'x' }] }],
            },
          },
        ],
      },
      400,
    ],
    ['more than 100 KB of UTF-16', { type: 'message', text: 'x'.repeat(51_200) }, 413],
  ])('is refused when it is %s, and held against the bot', async (_what, activity, status) => {
    const { id: chat } = teams.direct(one.appId, home, user);
    expect(await call(await aToken(), into(chat), activity)).toMatchObject({ status });
    expect(teams.posts(chat)).toEqual([]);
    expect(teams.violations).toHaveLength(1);
  });

  test('into a channel begins a thread; into a thread it goes there', async () => {
    const { id: channel } = teams.addConversation({ tenant: home, scope: 'channel' });
    teams.join(one.appId, channel);
    const token = await aToken();
    const { id } = await call(token, into(channel));
    const thread = `${channel};messageid=${id}`;
    await call(token, into(thread));
    expect(teams.posts(thread)).toHaveLength(2);
  });

  test('to somebody who has blocked the bot is refused as Teams does', async () => {
    const { id: chat } = teams.direct(one.appId, home, user);
    teams.block(one.appId, chat);
    expect(await call(await aToken(), into(chat))).toMatchObject({
      status: 403,
      code: 'MessageWritesBlocked',
    });
    expect(teams.violations).toEqual([]);
  });

  test.each([
    [7, 0, 1],
    [8, 1_100, 2],
  ])('is too much above %i messages', async (count, afterMs, seconds) => {
    const { id: chat } = teams.direct(one.appId, home, user);
    const token = await aToken();
    for (let n = 0; n < 7; n += 1) expect(await call(token, into(chat))).toMatchObject({ status: 201 });
    nowMs += afterMs;
    if (count === 8) expect(await call(token, into(chat))).toMatchObject({ status: 201 });
    expect(await call(token, into(chat))).toMatchObject({ status: 429 });
    nowMs += seconds * 1_000;
    expect(await call(token, into(chat))).toMatchObject({ status: 201 });
  });
});

describe('a stream', () => {
  const piece = (text: string, streamSequence: number, streamId?: string) => ({
    ...{ type: 'typing', text },
    entities: [
      { type: 'streaminfo', streamType: 'streaming', streamSequence, ...(streamId && { streamId }) },
    ],
  });
  const end = (text: string, streamId: string, more: object = {}) => ({
    ...{ type: 'message', text },
    entities: [{ type: 'streaminfo', streamType: 'final', streamId, ...more }],
  });

  test('grows, and ends with a message', async () => {
    const { id: chat } = teams.direct(one.appId, home, user);
    const token = await aToken();
    const { id = '' } = await call(token, into(chat), piece('One', 1));
    nowMs += 1_500;
    expect(await call(token, into(chat), piece('One, two', 2, id))).toMatchObject({ status: 201, id });
    expect(teams.posts(chat)).toMatchObject([{ isStreaming: true, text: 'One, two' }]);
    expect(await call(token, into(chat), end('One, two, three', id))).toMatchObject({ status: 201, id });
    expect(teams.posts(chat)).toMatchObject([{ isStreaming: false, text: 'One, two, three' }]);
    expect(teams.violations).toEqual([]);
  });

  test('has rules, each of which is kept', async () => {
    const { id: chat } = teams.direct(one.appId, home, user);
    const token = await aToken();
    const tell = (activity: object) => call(token, into(chat), activity);
    expect(await tell(piece('One', 2))).toMatchObject({ status: 400 });
    const { id = '' } = await tell(piece('One', 1));
    expect(await tell(piece('One, two', 2, id))).toMatchObject({ status: 429 });
    nowMs += 2_000;
    expect(await tell(piece('Another', 2, id))).toMatchObject({ status: 400 });
    expect(await tell(piece('One, two', 3, id))).toMatchObject({ status: 400 });
    expect(await tell(end('One', id, { streamSequence: 4 }))).toMatchObject({ status: 400 });
    expect(await call(token, `${into(chat)}/${id}`, undefined, { method: 'PUT' })).toMatchObject({
      status: 403,
    });
    nowMs += 2 * 60_000;
    expect(await tell(end('One, two', id))).toMatchObject({ status: 403, code: 'ContentStreamNotAllowed' });
    expect(await call(token, `${into(chat)}/${id}`, undefined, { method: 'PUT' })).toMatchObject({
      status: 200,
    });
  });

  test('is not for groups', async () => {
    const { id: group } = teams.addConversation({ tenant: home, scope: 'groupChat' });
    teams.join(one.appId, group);
    expect(await call(await aToken(), into(group), piece('One', 1))).toMatchObject({ status: 403 });
  });
});

test('a chat that is made twice is the same chat, and only in the bot’s own name', async () => {
  const token = await aToken();
  const ask = (appId: string) =>
    call(token, '', { isGroup: false, bot: { id: `28:${appId}` }, members: [{ id: user }], tenantId: home });
  const first = await ask(one.appId);
  expect(first).toMatchObject({ status: 201, id: teams.direct(one.appId, home, user).id });
  expect((await ask(one.appId)).id).toBe(first.id);
  expect(await ask(two.appId)).toMatchObject({ status: 403 });
});

test('planned faults happen where and as often as they say', async () => {
  const { id: chat } = teams.direct(one.appId, home, user);
  const token = await aToken();
  teams.fail({
    kind: 'status',
    status: 502,
    times: 1,
    where: ({ conversationId }) => conversationId === chat,
  });
  expect(await call(token, into(chat))).toMatchObject({ status: 502 });
  teams.fail({ kind: 'answer_lost' });
  await expect(call(token, into(chat))).rejects.toThrow();
  expect(teams.posts(chat)).toHaveLength(1);
});
