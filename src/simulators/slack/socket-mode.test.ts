import { setTimeout as delay } from 'node:timers/promises';
import { SocketModeClient } from '@slack/socket-mode';
import { LogLevel, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { type SlackSimulator, startSlackSimulator } from './simulator.ts';

let slack: SlackSimulator;
const clients: SocketModeClient[] = [];

beforeEach(async () => {
  slack = await startSlackSimulator({ retryDelaysMs: [0, 50, 100], deadlineMs: 200 });
  slack.addApp({ appId: 'A1', signingSecret: 'secret', appToken: 'xapp-1-A1' });
  slack.install('A1', 'T1');
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
  await slack.close();
});

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

type SocketEvent = {
  type: string;
  ack: (payload?: object) => Promise<void>;
  body: { event: { type: string; text: string }; command: string };
  retry_num: number;
  retry_reason: string;
};

async function connect(
  hear: (event: SocketEvent) => unknown = ({ ack }) => ack(),
): Promise<SocketModeClient> {
  const client = new SocketModeClient({
    appToken: 'xapp-1-A1',
    clientOptions: { slackApiUrl: slack.apiUrl },
    clientPingTimeout: 30,
    logger: silent,
  });
  clients.push(client);
  client.on('slack_event', hear);
  await client.start();
  return client;
}

const hello = { user: 'U1', channel: 'C1', text: 'Hello' };

test('events come over the socket and are acknowledged there', async () => {
  const heard: SocketEvent[] = [];
  await connect(async (event) => {
    heard.push(event);
    await event.ack();
  });
  const { deliveries } = await slack.say('T1', hello);
  expect(deliveries).toMatchObject([{ via: 'socket', status: 200, retryNum: 0 }]);
  expect(heard).toMatchObject([
    { type: 'events_api', body: { team_id: 'T1', event: { type: 'message', text: 'Hello' } } },
  ]);
});

test('a command is answered in its acknowledgement', async () => {
  await connect(({ ack }) => ack({ text: 'At once' }));
  const [delivery] = await slack.command('T1', { user: 'U1', channel: 'C1', command: '/ask' });
  expect(JSON.parse(delivery?.body ?? '')).toEqual({ text: 'At once' });
});

test('what is not acknowledged in time is told again, with a number and a reason', async () => {
  const heard: SocketEvent[] = [];
  await connect(async (event) => {
    heard.push(event);
    if (heard.length > 1) await event.ack();
  });
  const { deliveries } = await slack.say('T1', hello);
  expect(deliveries.map(({ status, retryNum }) => [status, retryNum])).toEqual([
    [0, 0],
    [200, 1],
  ]);
  expect(heard[1]).toMatchObject({ retry_num: 1, retry_reason: 'http_timeout' });
});

test('what is said while no socket is open is told when one is', async () => {
  const heard: string[] = [];
  const said = slack.say('T1', hello);
  await connect(async ({ ack, body }) => {
    heard.push(body.event.text);
    await ack();
  });
  expect((await said).deliveries.at(-1)).toMatchObject({ status: 200, via: 'socket' });
  expect(heard).toEqual(['Hello']);
});

test('an app that is told to disconnect comes back by another socket', async () => {
  await connect();
  expect([slack.sockets.open('A1'), slack.sockets.most('A1')]).toEqual([1, 1]);
  slack.sockets.disconnect('A1', 'refresh_requested');
  await vi.waitFor(() => expect(slack.callsOf('apps.connections.open')).toHaveLength(2));
  await vi.waitFor(() => expect(slack.sockets.open('A1')).toBe(1));
  expect((await slack.say('T1', hello)).deliveries.at(-1)).toMatchObject({ status: 200 });
});

test('a socket that is cut while an event is on its way loses no event', async () => {
  let isFirst = true;
  await connect(async ({ ack }) => {
    if (!isFirst) return ack();
    isFirst = false;
    slack.sockets.drop('A1');
  });
  const { deliveries } = await slack.say('T1', hello);
  expect(deliveries[0]).toMatchObject({ status: 0 });
  expect(deliveries.at(-1)).toMatchObject({ status: 200 });
});

test('each of several sockets gets its share, and each event once', async () => {
  const shares: Record<string, number> = { first: 0, second: 0 };
  for (const name of Object.keys(shares))
    await connect(async ({ ack }) => {
      shares[name] = (shares[name] ?? 0) + 1;
      await ack();
    });
  for (let count = 0; count < 4; count += 1) await slack.say('T1', hello);
  expect(shares).toEqual({ first: 2, second: 2 });
  expect(slack.sockets.most('A1')).toBe(2);
});

test('only an app-level token opens sockets, and a link opens one', async () => {
  const open = (token: string) =>
    new WebClient(token, { slackApiUrl: slack.apiUrl, logger: silent }).apps.connections.open();
  const { botToken } = slack.install('A1', 'T2');
  await expect(open(botToken)).rejects.toMatchObject({ data: { error: 'not_allowed_token_type' } });
  await expect(open('xapp-unknown')).rejects.toMatchObject({ data: { error: 'invalid_auth' } });
  const { url = '' } = await open('xapp-1-A1');
  const first = new WebSocket(url);
  await new Promise((opened) => first.once('open', opened));
  const second = new WebSocket(url);
  await expect(
    new Promise((opened, failed) => second.once('open', opened).once('error', failed)),
  ).rejects.toThrow('401');
  first.terminate();
  await vi.waitFor(() => expect(slack.sockets.open('A1')).toBe(0));
});

test('closing leaves nothing open', async () => {
  const said = slack.say('T1', hello);
  await delay(1);
  await slack.close();
  expect((await said).deliveries.length).toBeGreaterThan(0);
  slack = await startSlackSimulator();
});
