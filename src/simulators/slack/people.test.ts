import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { isValidSlackRequest } from '@slack/bolt';
import { LogLevel, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aServer } from '../../../test/support/a-server.ts';
import type { Json } from './json.ts';
import { type SlackSimulator, type SlackSimulatorOptions, startSlackSimulator } from './simulator.ts';

type Heard = { path: string; headers: IncomingHttpHeaders; raw: string; body: Json };

let slack: SlackSimulator;
let app: Awaited<ReturnType<typeof startApp>>;
let botToken: string;
let botUserId: string;

beforeEach(async () => {
  app = await startApp();
  await start();
});
afterEach(async () => {
  await slack.close();
  await app.close();
});

async function start(options: SlackSimulatorOptions = {}): Promise<void> {
  slack = await startSlackSimulator({ retryDelaysMs: [0, 5, 5], deadlineMs: 200, ...options });
  slack.addApp({ appId: 'A1', signingSecret: 'secret', eventsUrl: `${app.url}/events` });
  ({ botToken, botUserId } = slack.install('A1', 'T1'));
}

async function restart(options: SlackSimulatorOptions): Promise<void> {
  await slack.close();
  await start(options);
}

/** An app that keeps what it hears, and answers as it is told to. */
async function startApp() {
  const heard: Heard[] = [];
  const answers: ((response: ServerResponse) => void | Promise<void>)[] = [];
  const { url, close } = await aServer(async (request, response) => {
    const raw = await text(request);
    const isJson = request.headers['content-type'] === 'application/json';
    const fields = isJson ? JSON.parse(raw) : Object.fromEntries(new URLSearchParams(raw));
    const body = typeof fields.payload === 'string' ? JSON.parse(fields.payload) : fields;
    heard.push({ path: request.url ?? '', headers: request.headers, raw, body });
    await (answers.shift() ?? ((one) => void one.end()))(response);
  });
  return { url, heard, answers, events: () => heard.map(({ body }) => body['event'] as Json), close };
}

/** Whether Slack's own code takes the request for one of Slack's. */
function isSigned({ headers, raw }: Heard): boolean {
  return isValidSlackRequest({
    signingSecret: 'secret',
    body: raw,
    headers: {
      'x-slack-signature': String(headers['x-slack-signature']),
      'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
    },
    logger: silent,
  });
}

const quiet = () => {};
const silent = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  setLevel: quiet,
  setName: quiet,
  getLevel: () => LogLevel.ERROR,
};

const client = () =>
  new WebClient(botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, logger: silent });

test('a message comes signed, in the envelope that Slack sends', async () => {
  const { ts, deliveries } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  expect(deliveries).toMatchObject([{ status: 200, retryNum: 0, via: 'http', failure: undefined }]);
  const [heard] = app.heard;
  expect(heard && isSigned(heard)).toBe(true);
  expect(heard?.body).toMatchObject({
    type: 'event_callback',
    team_id: 'T1',
    context_team_id: 'T1',
    api_app_id: 'A1',
    is_ext_shared_channel: false,
    authorizations: [{ team_id: 'T1', enterprise_id: null, user_id: botUserId, is_bot: true }],
    event: {
      type: 'message',
      user: 'U1',
      channel: 'C1',
      channel_type: 'channel',
      text: 'Hello',
      ts,
      event_ts: ts,
    },
  });
  expect(heard?.headers['x-slack-retry-num']).toBeUndefined();
});

test('a mention comes a second time as its twin, under another event id', async () => {
  const { ts } = await slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${botUserId}> hello` });
  expect(app.events().map((event) => [event['type'], event['ts'], event['text']])).toEqual(
    expect.arrayContaining([
      ['message', ts, `<@${botUserId}> hello`],
      ['app_mention', ts, `<@${botUserId}> hello`],
    ]),
  );
  expect(new Set(app.heard.map(({ body }) => body['event_id'])).size).toBe(2);
  expect(app.events()[0]?.['blocks']).toMatchObject([
    {
      elements: [
        {
          elements: [
            { type: 'user', user_id: botUserId },
            { type: 'text', text: ' hello' },
          ],
        },
      ],
    },
  ]);
});

test('a direct message has no twin', async () => {
  await slack.say('T1', { user: 'U1', text: `<@${botUserId}> hello` });
  expect(app.events()).toMatchObject([{ type: 'message', channel_type: 'im' }]);
});

test('an app hears of channels that its bot is a member of, and of what it subscribes to', async () => {
  slack.addChannel('T1', { id: 'C2', members: ['U1'] });
  expect((await slack.say('T1', { user: 'U1', channel: 'C2', text: 'Among us' })).deliveries).toEqual([]);

  slack.addApp({ appId: 'A2', signingSecret: 'b', eventsUrl: `${app.url}/two`, events: ['app_mention'] });
  const other = slack.install('A2', 'T1');
  await slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${other.botUserId}> hello` });
  expect(app.heard.map(({ path, body }) => [path, (body['event'] as Json)['type']])).toEqual(
    expect.arrayContaining([
      ['/events', 'message'],
      ['/two', 'app_mention'],
    ]),
  );
  expect(app.heard).toHaveLength(2);
});

test('what is not acknowledged is told at most three times more, with a reason', async () => {
  const fail = (response: ServerResponse) => void response.writeHead(500).end();
  app.answers.push(fail, fail, fail, fail, fail);
  const { deliveries } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  expect(deliveries.map(({ status, retryNum }) => [status, retryNum])).toEqual([
    [500, 0],
    [500, 1],
    [500, 2],
    [500, 3],
  ]);
  expect(app.heard.map(({ headers }) => headers['x-slack-retry-num'])).toEqual([undefined, '1', '2', '3']);
  expect(app.heard[1]?.headers['x-slack-retry-reason']).toBe('http_error');
  expect(new Set(app.heard.map(({ body }) => body['event_id'])).size).toBe(1);
});

test('an answer after the deadline counts as none', async () => {
  app.answers.push(async (response) => {
    await delay(300);
    response.end();
  });
  const { deliveries } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  expect(deliveries).toMatchObject([
    { status: 0, failure: 'http_timeout' },
    { status: 200, retryNum: 1 },
  ]);
  expect(app.heard[1]?.headers['x-slack-retry-reason']).toBe('http_timeout');
});

test('an app can ask for no repetition', async () => {
  app.answers.push((response) => void response.writeHead(500, { 'x-slack-no-retry': '1' }).end());
  const { deliveries } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  expect(deliveries).toHaveLength(1);
});

test('Slack can repeat itself under the same event id or under others', async () => {
  await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello', repeat: 3 });
  expect(new Set(app.heard.map(({ body }) => body['event_id'])).size).toBe(1);
  await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello', repeat: 3, newEventIds: true });
  expect(app.heard).toHaveLength(6);
  expect(new Set(app.heard.map(({ body }) => body['event_id'])).size).toBe(4);
});

test('Slack can tell of things in the wrong order', async () => {
  await slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${botUserId}> a`, reorder: true });
  expect(app.events().map(({ type }) => type)).toEqual(['app_mention', 'message']);
  app.heard.length = 0;
  const sayings = ['1', '2', '3'].map((said) => ({ user: 'U1', channel: 'C1', text: said }));
  const said = await slack.sayAll('T1', sayings, { reorder: true });
  expect(app.events().map((event) => event['text'])).toEqual(['3', '2', '1']);
  expect(
    slack
      .messages('T1', 'C1')
      .map((one) => one.ts)
      .slice(1),
  ).toEqual(said.map(({ ts }) => ts));
});

test('changes, deletions and reactions are told as Slack tells them', async () => {
  const { ts } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'One' });
  await slack.edit('T1', { channel: 'C1', ts, text: 'Two' });
  await slack.react('T1', { user: 'U2', channel: 'C1', ts, name: 'eyes' });
  await slack.react('T1', { user: 'U2', channel: 'C1', ts, name: 'eyes', removed: true });
  await slack.deleteMessage('T1', { channel: 'C1', ts });
  expect(app.events().slice(1)).toMatchObject([
    {
      subtype: 'message_changed',
      message: { ts, text: 'Two' },
      previous_message: { text: 'One' },
      channel: 'C1',
    },
    { type: 'reaction_added', user: 'U2', reaction: 'eyes', item: { channel: 'C1', ts }, item_user: 'U1' },
    { type: 'reaction_removed' },
    { subtype: 'message_deleted', deleted_ts: ts, previous_message: { text: 'Two' } },
  ]);
});

test('a bot hears of its own messages, marked as its own', async () => {
  await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello' });
  const { ts = '' } = await client().chat.postMessage({ channel: 'C1', text: 'Hi' });
  await client().chat.update({ channel: 'C1', ts, text: 'Hi there' });
  await slack.settled();
  expect(app.events().slice(1)).toMatchObject([
    { type: 'message', user: botUserId, bot_id: expect.any(String), app_id: 'A1', ts },
    { subtype: 'message_changed', message: { text: 'Hi there', bot_id: expect.any(String) } },
  ]);
});

test('another bot speaks without a user', async () => {
  await slack.say('T1', { user: '', botId: 'B9', channel: 'C1', text: 'Beep' });
  expect(app.events()[0]).toMatchObject({ subtype: 'bot_message', bot_id: 'B9' });
  expect(app.events()[0]).not.toHaveProperty('user');
});

test('somebody of another organization speaks in a shared channel', async () => {
  slack.addChannel('T1', { id: 'C5', isShared: true });
  await slack.say('T1', { user: 'U9', fromTeamId: 'T9', channel: 'C5', text: 'From outside' });
  expect(app.heard[0]?.body).toMatchObject({
    team_id: 'T9',
    context_team_id: 'T1',
    is_ext_shared_channel: true,
    authorizations: [{ team_id: 'T1' }],
    event: { user: 'U9', team: 'T9', user_team: 'T9', source_team: 'T9' },
  });
});

test('an org-wide app is told which workspace it is about', async () => {
  slack.addWorkspace({ teamId: 'T2', enterpriseId: 'E1' });
  slack.installEnterprise('A1', 'E1');
  await slack.say('T2', { user: 'U1', channel: 'C1', text: 'Hello' });
  expect(app.heard[0]?.body).toMatchObject({
    team_id: 'T2',
    enterprise_id: 'E1',
    authorizations: [{ team_id: 'T2', enterprise_id: 'E1', is_enterprise_install: true }],
  });
});

test('removing the app or revoking its token is told, and ends the token', async () => {
  await slack.tokensRevoked('T1');
  await expect(client().auth.test()).rejects.toMatchObject({ data: { error: 'token_revoked' } });
  ({ botToken } = slack.install('A1', 'T1'));
  await slack.appUninstalled('T1');
  await expect(client().auth.test()).rejects.toMatchObject({ data: { error: 'account_inactive' } });
  expect(app.events()).toMatchObject([
    { type: 'tokens_revoked', tokens: { bot: [botUserId] } },
    { type: 'app_uninstalled' },
  ]);
});

test('homes and assistants are opened in the direct messages', async () => {
  await slack.openHome('T1', { user: 'U1' });
  const { channel, threadTs } = await slack.startAssistantThread('T1', { user: 'U1', contextChannel: 'C1' });
  expect(app.events()).toMatchObject([
    { type: 'app_home_opened', user: 'U1', tab: 'home', channel },
    {
      type: 'assistant_thread_started',
      assistant_thread: {
        user_id: 'U1',
        channel_id: channel,
        thread_ts: threadTs,
        context: { channel_id: 'C1' },
      },
    },
  ]);
  expect(slack.directChannel('T1', 'U1')).toBe(channel);
});

test('a command can be answered at its address, five times', async () => {
  const deliveries = await slack.command('T1', { user: 'U1', channel: 'C1', command: '/ask', text: 'why?' });
  expect(deliveries).toMatchObject([{ status: 200 }]);
  const body = app.heard[0]?.body ?? {};
  expect(body).toMatchObject({
    command: '/ask',
    text: 'why?',
    team_id: 'T1',
    is_enterprise_install: 'false',
  });
  const answer = (content: object) =>
    fetch(String(body['response_url']), { method: 'POST', body: JSON.stringify(content) });
  expect((await answer({ text: 'For you' })).status).toBe(200);
  expect((await answer({ text: 'For all', response_type: 'in_channel' })).status).toBe(200);
  expect((await answer({})).status).toBe(400);
  await answer({ text: '4' });
  await answer({ text: '5' });
  expect((await answer({ text: '6' })).status).toBe(404);
  expect(slack.ephemerals.map((one) => one.text)).toEqual(['For you', '4', '5']);
  expect(slack.posts('T1', 'C1').map((one) => one.finalText)).toEqual(['For all']);
});

test('only a button that is there can be pressed, and its click replaces the message', async () => {
  const button = {
    type: 'button',
    action_id: 'yes',
    value: '1',
    text: { type: 'plain_text', text: 'Yes' },
  } as const;
  slack.addChannel('T1', { id: 'C1' });
  const { ts = '' } = await client().chat.postMessage({
    channel: 'C1',
    text: 'Sure?',
    blocks: [{ type: 'actions', elements: [button] }],
  });
  await slack.settled();
  app.heard.length = 0;
  await expect(slack.click('T1', { user: 'U1', channel: 'C1', ts, actionId: 'no' })).rejects.toThrow(
    RangeError,
  );
  await slack.click('T1', { user: 'U1', channel: 'C1', ts, actionId: 'yes' });
  const body = app.heard[0]?.body ?? {};
  expect(body).toMatchObject({
    type: 'block_actions',
    user: { id: 'U1', team_id: 'T1' },
    team: { id: 'T1' },
    container: { message_ts: ts, channel_id: 'C1', is_ephemeral: false },
    actions: [{ action_id: 'yes', value: '1', type: 'button' }],
  });
  await fetch(String(body['response_url']), {
    method: 'POST',
    body: JSON.stringify({ text: 'Done', replace_original: true }),
  });
  expect(slack.posts('T1', 'C1').map((one) => one.finalText)).toEqual(['Done']);
});

test('a trigger opens one view, of the right shape, in time', async () => {
  let nowMs = Date.now();
  await restart({ now: () => nowMs });
  const trigger = async () => {
    app.heard.length = 0;
    await slack.shortcut('T1', { user: 'U1', callbackId: 'ask' });
    return String(app.heard[0]?.body['trigger_id']);
  };
  const title = { type: 'plain_text', text: 'Ask' } as const;
  const label = { type: 'plain_text', text: 'Question' } as const;
  const element = { type: 'plain_text_input', action_id: 'q' } as const;
  const view = {
    type: 'modal',
    callback_id: 'ask',
    title,
    submit: title,
    blocks: [{ type: 'input', block_id: 'b', label, element }],
  } as const;
  const open = async (trigger_id: string, shown: object = view) => {
    const call = client().apiCall('views.open', { trigger_id, view: shown });
    return call.then(
      () => 'opened',
      (error) => error.data.error,
    );
  };
  const first = await trigger();
  expect(await open(first, { ...view, submit: undefined })).toBe('invalid_arguments');
  expect(await open(first)).toBe('opened');
  expect(await open(first)).toBe('exchanged_trigger_id');
  expect(await open('1.2.3')).toBe('invalid_trigger_id');
  const late = await trigger();
  nowMs += 3_001;
  expect(await open(late)).toBe('expired_trigger_id');

  app.heard.length = 0;
  const viewId = slack.views[0]?.id ?? '';
  const values = { b: { q: { type: 'plain_text_input', value: 'Why?' } } };
  app.answers.push((response) => void response.end('{"response_action":"clear"}'));
  const deliveries = await slack.submitView('T1', { viewId, values });
  expect(deliveries).toMatchObject([{ status: 200, body: '{"response_action":"clear"}' }]);
  expect(app.heard[0]?.body).toMatchObject({
    type: 'view_submission',
    view: { id: viewId, callback_id: 'ask', state: { values } },
  });
});

test('a home that is published is shown to its person', async () => {
  slack.addUser('T1', 'U1');
  const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'Welcome' } }] as const;
  await client().views.publish({ user_id: 'U1', view: { type: 'home', blocks: [...blocks] } });
  expect(slack.views).toMatchObject([{ kind: 'home', user: 'U1', teamId: 'T1' }]);
  const unknown = client().views.publish({ user_id: 'U404', view: { type: 'home', blocks: [] } });
  await expect(unknown).rejects.toMatchObject({ data: { error: 'invalid_arguments' } });
});

test('any request can be sent, rightly or wrongly signed', async () => {
  await slack.raw('A1', { body: { type: 'url_verification', challenge: 'c' } });
  await slack.raw('A1', { body: '{}', signature: null, timestamp: '1' });
  await slack.raw('A1', { body: '{}', signingSecret: 'wrong', headers: { 'x-test': '1' } });
  const valid = app.heard.map(isSigned);
  expect(valid).toEqual([true, false, false]);
  expect(app.heard[1]?.headers).not.toHaveProperty('x-slack-signature');
});

test('an app that is away fails to be told', async () => {
  slack.addApp({ appId: 'A3', signingSecret: 'c', eventsUrl: 'http://127.0.0.1:1/' });
  slack.install('A3', 'T1');
  const { deliveries } = await slack.say('T1', { user: 'U1', channel: 'C1', text: 'Hello', app: 'A3' });
  expect(deliveries.map(({ failure }) => failure)).toEqual(Array(4).fill('connection_failed'));
});
