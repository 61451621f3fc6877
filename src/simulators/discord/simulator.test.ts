import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { type DiscordSimulator, startDiscordSimulator } from './simulator.ts';

/** The stand-in refuses what Discord refuses: a lax one would prove nothing about who calls it. */

let discord: DiscordSimulator;
let channel: string;

beforeEach(async () => {
  discord = await startDiscordSimulator({ heartbeatMs: 1_000 });
  onTestFinished(() => discord.close());
  discord.addApp({ id: '900' });
  discord.addApp({ id: '901' });
  discord.addGuild({ id: '1', members: ['7'] });
  discord.invite('900', '1');
  channel = discord.addChannel('1');
});

async function call(
  method: string,
  path: string,
  body?: object,
  token = 'token-of-900',
  agent = 'DiscordBot (x, 1)',
) {
  const response = await fetch(`${discord.apiUrl}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${token}`, 'user-agent': agent, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, answer };
}
const post = (body: object, token?: string) => call('POST', `/channels/${channel}/messages`, body, token);
const fresh = (content: string, more: object = {}) => ({
  ...{ content, nonce: content.slice(0, 25), enforce_nonce: true, allowed_mentions: { parse: [] } },
  ...more,
});

describe('the REST API', () => {
  test('knows each token, and takes note of one that is used where its bot is not', async () => {
    expect(await post(fresh('hello'), 'guessed')).toMatchObject({ status: 401 });
    expect(discord.violations).toEqual([]);
    expect(await post(fresh('hello'), 'token-of-901')).toMatchObject({
      status: 403,
      answer: { code: 50_001 },
    });
    expect(discord.violations).toHaveLength(1);
    expect(discord.invalidCount()).toBe(2);
    expect(await call('GET', '/users/@me', undefined, 'token-of-900', 'curl')).toMatchObject({ status: 403 });
  });

  test('refuses what is too long, empty, or no component', async () => {
    discord.changeLimits({ postsPerWindow: 100 });
    expect(await post(fresh('x'.repeat(2_000)))).toMatchObject({ status: 200 });
    for (const body of [
      fresh('x'.repeat(2_001)),
      fresh(' '),
      { ...fresh('a'), nonce: 'x'.repeat(26) },
      fresh('b', { components: [{ type: 2, custom_id: 'a' }] }),
      fresh('c', {
        components: [{ type: 1, components: [{ type: 2, label: 'a', custom_id: 'i'.repeat(101) }] }],
      }),
    ])
      expect(await post(body)).toMatchObject({ status: 400, answer: { code: 50_035 } });
  });

  test('makes one message of a nonce, and takes note of a post without one', async () => {
    const [first, second] = [await post(fresh('once')), await post(fresh('once'))];
    expect(second.answer['id']).toBe(first.answer['id']);
    expect(discord.posts(channel)).toHaveLength(1);
    expect(discord.violations).toEqual([]);
    await post({ content: 'without' });
    expect(discord.violations).toHaveLength(1);
  });

  test('counts a channel’s bucket and all calls of a bot', async () => {
    const answers = [];
    for (let number = 0; number < 6; number += 1) answers.push(await post(fresh(`number ${number}`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers[4]?.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(answers[5]?.answer['retry_after']).toBeGreaterThan(0);
    expect(answers[5]?.headers.get('x-ratelimit-scope')).toBe('user');
    discord.changeLimits({ globalPerSecond: 1 });
    await call('GET', '/users/@me');
    expect(await call('GET', '/users/@me')).toMatchObject({ status: 429, answer: { global: true } });
  });

  test('tells whom a message calls, unless it is said that it calls nobody', async () => {
    await post({ ...fresh('@everyone <@7>'), allowed_mentions: undefined });
    await post(fresh('@here <@7>'));
    expect(discord.posts(channel).map(({ calls }) => calls)).toEqual([['@everyone', '<@7>'], []]);
  });
});

test('interactions are signed over their time stamp and body, and a late or strange answer is taken note of', async () => {
  const bodies: boolean[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const x = Buffer.from(discord.app('900').publicKey, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signed = Buffer.concat([Buffer.from(String(request.headers['x-signature-timestamp'])), body]);
    bodies.push(
      verify(null, signed, key, Buffer.from(String(request.headers['x-signature-ed25519']), 'hex')),
    );
    response.end('{"type":99}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  discord.app('900').interactionsUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await discord.command('900', channel, '7', 'ask', { question: 'hello' });
  expect(bodies).toEqual([true]);
  expect(discord.violations).toEqual(['an interaction was answered with type 99']);
});

describe('the gateway', () => {
  /** A socket that keeps what it hears. */
  async function connect() {
    const socket = new WebSocket(`${discord.url.replace('http', 'ws')}/?v=10&encoding=json`);
    onTestFinished(() => socket.terminate());
    const heard: { op: number; t?: string; s?: number; d?: { session_id?: string } }[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }));
    const identify = (more: object = {}) =>
      send(2, { token: 'token-of-900', intents: 1 << 9, shard: [0, 1], ...more });
    const until = async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => socket.once('message', resolve));
    };
    return { socket, heard, closed, send, identify, until };
  }

  test.each([
    ['a wrong token', { token: 'guessed' }, 4_004],
    ['a shard that is none', { shard: [1, 1] }, 4_010],
  ])('ends for %s', async (_what, more, code) => {
    const { identify, closed } = await connect();
    identify(more);
    expect(await closed).toBe(code);
  });

  test('ends for an intent that is switched off, and for what comes before anybody said who they are', async () => {
    discord.app('900').messageContent = false;
    const first = await connect();
    first.identify({ intents: 1 << 15 });
    expect(await first.closed).toBe(4_014);
    const second = await connect();
    second.send(3, {});
    expect(await second.closed).toBe(4_003);
  });

  test('tells a resumed session what it has missed, and nothing of what it had', async () => {
    const first = await connect();
    first.identify();
    await first.until(() => first.heard.some(({ t }) => t === 'GUILD_CREATE'));
    const ready = first.heard.find(({ t }) => t === 'READY');
    first.socket.terminate();
    await first.closed;
    discord.say(channel, { user: '7', text: 'missed' });
    const second = await connect();
    second.send(6, { token: 'token-of-900', session_id: ready?.d?.session_id, seq: 2 });
    await second.until(() => second.heard.some(({ t }) => t === 'RESUMED'));
    expect(second.heard.flatMap(({ t }) => t ?? [])).toEqual(['MESSAGE_CREATE', 'RESUMED']);
    const third = await connect();
    third.send(6, { token: 'token-of-900', session_id: 'unknown', seq: 2 });
    await third.until(() => third.heard.some(({ op }) => op === 9));
    expect(third.heard.at(-1)).toEqual({ op: 9, d: false });
  });

  test('takes note of a second socket of a shard, and of identifying too often', async () => {
    const first = await connect();
    first.identify();
    await first.until(() => first.heard.some(({ t }) => t === 'READY'));
    const second = await connect();
    second.identify();
    await second.until(() => second.heard.some(({ t }) => t === 'READY'));
    expect(discord.violations.map((text) => text.replace(/\d+ ms/, 'N ms'))).toEqual([
      '900 identified N ms after the last time',
      '900 opened a second socket of shard 0',
    ]);
  });
});
