import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { sharedAccount } from '../support/a-twilio-service.ts';
import { emptyQueue } from '../support/empty-queue.ts';
import {
  discordChannelOf,
  planPlatformTenant,
  slackChannelOf,
  twilioChannelOf,
} from '../support/platform-tenants.ts';

/** What an attacker would send to the addresses that platforms call. Each is refused before anything is read or kept. */

const slackSecret = 'the-shared-signing-secret';
const discordKeys = generateKeyPairSync('ed25519');
const otherKeys = generateKeyPairSync('ed25519');
const hexOf = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
const service = sharedService({
  env: {
    SLACK_APP_ID: 'A1',
    SLACK_SIGNING_SECRET: slackSecret,
    TWILIO_ACCOUNT_SID: sharedAccount.accountSid,
    TWILIO_AUTH_TOKEN: sharedAccount.authToken,
    // Nobody is there: answers go nowhere, which is not what is looked at here.
    SLACK_API_URL: 'http://127.0.0.1:9/api/',
    TWILIO_API_URL: 'http://127.0.0.1:9',
    DISCORD_APPLICATION_ID: '900',
    DISCORD_PUBLIC_KEY: hexOf(discordKeys),
    DISCORD_BOT_TOKEN: 'discord-token',
    DISCORD_API_URL: 'http://127.0.0.1:9/api',
  },
  plans: [
    planPlatformTenant({
      slug: 'one',
      channels: [
        slackChannelOf({ workspace: 'T1', botToken: 'xoxb-1' }),
        twilioChannelOf({ number: '+15550001' }),
        discordChannelOf({ guild: '1001' }),
      ],
    }),
    planPlatformTenant({
      slug: 'two',
      channels: [
        slackChannelOf({
          workspace: 'T2',
          botToken: 'xoxb-2',
          appId: 'A2',
          signingSecret: 's2',
          key: 'ck_two',
        }),
        // Its events come by Socket Mode, so there is no secret to call its address with.
        slackChannelOf({
          slug: 'socket',
          workspace: 'T3',
          appId: 'A3',
          appToken: 'xapp-3',
          key: 'ck_socket',
        }),
        twilioChannelOf({ accountSid: 'AC2', authToken: 'token-2', number: '+15550002', key: 'ck_sms' }),
        discordChannelOf({
          ...{
            applicationId: '901',
            publicKey: hexOf(otherKeys),
            guild: '1002',
            key: 'ck_dis',
            socket: false,
          },
        }),
        // Its messages come by the socket, so there is no key to call its address with.
        discordChannelOf({
          ...{ slug: 'deaf', applicationId: '902', botToken: 't', guild: '1003', key: 'ck_deaf' },
        }),
      ],
    }),
  ],
});

type Answer = { status: number; body: string };
type Sent = {
  path: string;
  body: Buffer | string;
  headers?: Record<string, string | string[]>;
  chunked?: boolean;
};

function post({ path, body, headers = {}, chunked = false }: Sent): Promise<Answer> {
  const bytes = Buffer.from(body);
  return new Promise((resolve, reject) => {
    const url = new URL(`${service().url}/webhooks/${path}`);
    const request = httpRequest(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(!chunked && { 'content-length': String(bytes.length) }),
        ...headers,
      },
    });
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString() }),
      );
    });
    request.on('error', reject);
    if (chunked) for (let at = 0; at < bytes.length; at += 7) request.write(bytes.subarray(at, at + 7));
    request.end(chunked ? undefined : bytes);
  });
}

const nowSeconds = () => Math.floor(Date.now() / 1_000);
let counter = 0;

function slackEvent(team = 'T1', more: object = {}): string {
  const ts = `1767224888.${String(++counter).padStart(6, '0')}`;
  const event = {
    type: 'message',
    channel: 'D1',
    channel_type: 'im',
    user: 'U1',
    text: `event ${counter}`,
    ts,
  };
  return JSON.stringify({ type: 'event_callback', team_id: team, event, event_id: `Ev${counter}`, ...more });
}

function slackSigned(body: string, { secret = slackSecret, timestamp = String(nowSeconds()) } = {}) {
  const mac = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${mac}` };
}

/** What was kept of what people said; what becomes of it goes on meanwhile. */
async function everything(): Promise<string> {
  const all = await Promise.all(['one', 'two'].map((tenant) => service().rows(tenant)));
  return JSON.stringify(all.map(({ messages }) => messages.filter(({ role }) => role === 'visitor')));
}

/** Sends it and tells what it was answered; nothing may have been kept. */
async function refused(sent: Sent): Promise<number> {
  const before = await everything();
  const { status, body } = await post(sent);
  expect(await everything()).toBe(before);
  expect(body).not.toContain(slackSecret);
  return status;
}

describe('Slack', () => {
  const path = 'slack/events';

  test('what is signed as it must be is taken (so that the rest means something)', async () => {
    const body = slackEvent();
    expect(await post({ path, body, headers: slackSigned(body) })).toMatchObject({ status: 200, body: '' });
    expect((await service().rows('one')).messages.map(({ text }) => text)).toContain(`event ${counter}`);
  });

  test('what comes in pieces is taken like what comes whole', async () => {
    const body = slackEvent();
    expect(await post({ path, body, headers: slackSigned(body), chunked: true })).toMatchObject({
      status: 200,
    });
    expect((await service().rows('one')).messages.map(({ text }) => text)).toContain(`event ${counter}`);
  });

  test.each([
    ['a byte more', (body: string) => `${body} `],
    ['a byte less', (body: string) => body.slice(0, -1)],
    ['a byte changed', (body: string) => body.replace('event', 'Event')],
  ])('%s than was signed', async (_what, change) => {
    const body = slackEvent();
    expect(await refused({ path, body: change(body), headers: slackSigned(body) })).toBe(401);
  });

  test.each([
    [
      'no signature',
      (headers: Record<string, string>) => ({
        'x-slack-request-timestamp': headers['x-slack-request-timestamp'] ?? '',
      }),
    ],
    [
      'no time stamp',
      (headers: Record<string, string>) => ({ 'x-slack-signature': headers['x-slack-signature'] ?? '' }),
    ],
    ['an empty signature', (headers: Record<string, string>) => ({ ...headers, 'x-slack-signature': '' })],
    [
      'another version of signatures',
      (headers: Record<string, string>) => ({
        ...headers,
        'x-slack-signature': (headers['x-slack-signature'] ?? '').replace('v0', 'v1'),
      }),
    ],
    [
      'a time stamp that is no number',
      (headers: Record<string, string>) => ({ ...headers, 'x-slack-request-timestamp': 'NaN' }),
    ],
  ])('%s', async (_what, change) => {
    const body = slackEvent();
    expect(await refused({ path, body, headers: change(slackSigned(body)) })).toBe(401);
  });

  test('a signature twice, one of them right', async () => {
    const body = slackEvent();
    const headers = slackSigned(body);
    const twice = [headers['x-slack-signature'], `v0=${'0'.repeat(64)}`];
    expect(await refused({ path, body, headers: { ...headers, 'x-slack-signature': twice } })).toBe(401);
  });

  test('a time stamp twice', async () => {
    const body = slackEvent();
    const headers = slackSigned(body);
    const twice = [headers['x-slack-request-timestamp'], headers['x-slack-request-timestamp']];
    expect(await refused({ path, body, headers: { ...headers, 'x-slack-request-timestamp': twice } })).toBe(
      401,
    );
  });

  test.each([6 * 60, 24 * 60 * 60, -6 * 60])('a right signature of %s seconds ago', async (age) => {
    const body = slackEvent();
    const headers = slackSigned(body, { timestamp: String(nowSeconds() - age) });
    expect(await refused({ path, body, headers })).toBe(401);
  });

  test('the secret of another tenant’s app, at either address', async () => {
    const body = slackEvent();
    expect(await refused({ path, body, headers: slackSigned(body, { secret: 's2' }) })).toBe(401);
    expect(await refused({ path: 'slack/ck_two/events', body, headers: slackSigned(body) })).toBe(401);
  });

  test('an app that has no signing secret, with an empty one', async () => {
    const body = slackEvent('T3');
    const headers = slackSigned(body, { secret: 'undefined' });
    expect(await refused({ path: 'slack/ck_socket/events', body, headers })).toBe(401);
  });

  test('the same call five times, and again after the queue was emptied, has one effect', async () => {
    const body = slackEvent();
    const headers = slackSigned(body);
    for (let times = 0; times < 5; times += 1) expect((await post({ path, body, headers })).status).toBe(200);
    await emptyQueue(service());
    expect((await post({ path, body, headers })).status).toBe(200);
    const { messages, turns } = await service().rows('one');
    const [question] = messages.filter(({ text, role }) => text === `event ${counter}` && role === 'visitor');
    expect(turns.filter(({ message_id: id }) => id === question?.id)).toHaveLength(1);
  });

  test('a compressed body, which Slack never sends', async () => {
    const body = slackEvent();
    const headers = { ...slackSigned(body), 'content-encoding': 'gzip' };
    expect(await refused({ path, body: gzipSync(body), headers })).toBe(415);
  });

  test('a body of 10 MB', async () => {
    const body = 'x'.repeat(10 * 1_048_576);
    const status = await refused({ path, body, headers: slackSigned(body) }).catch(() => 413);
    expect(status).toBe(413);
  });

  test('an address that nobody has', async () => {
    const body = slackEvent();
    const headers = slackSigned(body);
    for (const other of [
      'slack/ck_nobody/events',
      'slack/elsewhere',
      'slack/wk_shop/events',
      'nowhere/events',
    ])
      expect(await refused({ path: other, body, headers })).toBe(404);
  });

  test('url_verification is answered only when it is signed', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'echo me' });
    expect(await post({ path, body, headers: slackSigned(body) })).toEqual({ status: 200, body: 'echo me' });
    expect(await refused({ path, body, headers: slackSigned(body, { secret: 'wrong' }) })).toBe(401);
  });
});

describe('Twilio', () => {
  const path = 'twilio/messages';
  const form = (more: Record<string, string> = {}) => ({
    MessageSid: `SM${String(++counter).padStart(32, '0')}`,
    AccountSid: sharedAccount.accountSid,
    From: '+15550009',
    To: '+15550001',
    Body: `text ${counter}`,
    NumMedia: '0',
    ...more,
  });

  function signed(
    params: Record<string, string>,
    { token = sharedAccount.authToken, at = path }: { token?: string; at?: string } = {},
  ): Sent & { headers: Record<string, string> } {
    const text = Object.keys(params)
      .sort()
      .map((name) => `${name}${params[name]}`)
      .join('');
    const mac = createHmac('sha1', token).update(`${service().url}/webhooks/${at}${text}`).digest('base64');
    return {
      path: at,
      body: new URLSearchParams(params).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': mac },
    };
  }

  test('what is signed as it must be is taken and answered with an empty TwiML', async () => {
    const { status, body } = await post(signed(form()));
    expect(status).toBe(200);
    expect(body).toContain('<Response');
    expect((await service().rows('one')).messages.map(({ text }) => text)).toContain(`text ${counter}`);
  });

  test('parameters that nobody knows yet are part of what is signed', async () => {
    expect(await post(signed(form({ SomethingNew: 'x' })))).toMatchObject({ status: 200 });
    const sent = signed(form());
    expect(await refused({ ...sent, body: `${sent.body.toString()}&SomethingNew=x` })).toBe(401);
  });

  test.each(['Body', 'From', 'To'])('another %s than was signed', async (name) => {
    const sent = signed(form());
    const params = new URLSearchParams(sent.body.toString());
    params.set(name, `${params.get(name)}1`);
    expect(await refused({ ...sent, body: params.toString() })).toBe(401);
  });

  test('a right signature of another address', async () => {
    const { headers } = signed(form(), { at: 'twilio/status' });
    expect(await refused({ ...signed(form()), headers })).toBe(401);
  });

  test('a query that was not signed', async () => {
    expect(await refused({ ...signed(form()), path: `${path}?delivery=dlv_1` })).toBe(401);
  });

  test('no signature, an empty one, and two', async () => {
    const sent = signed(form());
    const { 'x-twilio-signature': signature = '', ...none } = sent.headers;
    expect(await refused({ ...sent, headers: none })).toBe(401);
    expect(await refused({ ...sent, headers: { ...none, 'x-twilio-signature': '' } })).toBe(401);
    expect(
      await refused({ ...sent, headers: { ...none, 'x-twilio-signature': [signature, signature] } }),
    ).toBe(401);
  });

  test('the token of another tenant’s account, at either address', async () => {
    expect(await refused(signed(form(), { token: 'token-2' }))).toBe(401);
    expect(await refused(signed(form(), { at: 'twilio/ck_sms/messages' }))).toBe(401);
  });

  test('an account of a tenant’s own that speaks for a number of another’s', async () => {
    const params = form({ AccountSid: 'AC2', To: '+15550001' });
    expect(await refused(signed(params, { token: 'token-2', at: 'twilio/ck_sms/messages' }))).toBe(200);
  });

  test('the same message told five times has one effect', async () => {
    const sent = signed(form());
    for (let times = 0; times < 5; times += 1) expect((await post(sent)).status).toBe(200);
    const { messages } = await service().rows('one');
    expect(
      messages.filter(({ text, role }) => text === `text ${counter}` && role === 'visitor'),
    ).toHaveLength(1);
  });

  test('what comes in pieces is taken, and what comes compressed is not', async () => {
    expect(await post({ ...signed(form()), chunked: true })).toMatchObject({ status: 200 });
    const sent = signed(form());
    const headers = { ...sent.headers, 'content-encoding': 'gzip' };
    expect(await refused({ ...sent, headers, body: gzipSync(sent.body) })).toBe(415);
  });

  test('more than a message can have', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`p${n}`, '']));
    expect(await refused(signed(form(many)))).toBe(413);
  });

  test('a body of 10 MB', async () => {
    const status = await refused(signed(form({ Body: 'x'.repeat(10 * 1_048_576) }))).catch(() => 413);
    expect(status).toBe(413);
  });
});

describe('Discord', () => {
  const path = 'discord/interactions';
  const command = (guild = '1001', more: object = {}) =>
    JSON.stringify({
      ...{ id: String(++counter), application_id: '900', type: 2, token: `t${counter}`, guild_id: guild },
      ...{ channel_id: '5', member: { user: { id: '7', username: 'seven' } } },
      data: { name: 'ask', type: 1, options: [{ name: 'question', value: `asked ${counter}` }] },
      ...more,
    });
  const signed = (body: string, { key = discordKeys.privateKey, timestamp = String(nowSeconds()) } = {}) => ({
    'x-signature-ed25519': sign(null, Buffer.from(timestamp + body), key).toString('hex'),
    'x-signature-timestamp': timestamp,
  });

  test('what is signed as it must be is taken and deferred', async () => {
    const body = command();
    expect(await post({ path, body, headers: signed(body) })).toEqual({ status: 200, body: '{"type":5}' });
    expect((await service().rows('one')).messages.map(({ text }) => text)).toContain(`asked ${counter}`);
  });

  test('a ping is answered only when it is signed, as Discord itself probes', async () => {
    const body = JSON.stringify({ type: 1, id: '1', application_id: '900' });
    expect(await post({ path, body, headers: signed(body) })).toEqual({ status: 200, body: '{"type":1}' });
    const forged = { ...signed(body), 'x-signature-ed25519': 'ab'.repeat(64) };
    expect(await refused({ path, body, headers: forged })).toBe(401);
    expect(await refused({ path, body })).toBe(401);
  });

  test('another body, time stamp or key than was signed', async () => {
    const body = command();
    const headers = signed(body);
    expect(await refused({ path, body: body.replace('asked', 'forged'), headers })).toBe(401);
    expect(await refused({ path, body: `${body} `, headers })).toBe(401);
    const later = { ...headers, 'x-signature-timestamp': String(nowSeconds() + 1) };
    expect(await refused({ path, body, headers: later })).toBe(401);
    expect(await refused({ path, body, headers: signed(body, { key: otherKeys.privateKey }) })).toBe(401);
  });

  test.each([6 * 60, 24 * 60 * 60, -6 * 60])('a right signature of %s seconds ago', async (age) => {
    const body = command();
    const headers = signed(body, { timestamp: String(nowSeconds() - age) });
    expect(await refused({ path, body, headers })).toBe(401);
  });

  test('no signature, an empty one, one that is no hexadecimal, a short one, two', async () => {
    const body = command();
    const headers = signed(body);
    const { 'x-signature-ed25519': signature, ...rest } = headers;
    for (const given of [undefined, '', 'z'.repeat(128), signature.slice(0, 126), `${signature}00`])
      expect(
        await refused({
          path,
          body,
          headers: given === undefined ? rest : { ...rest, 'x-signature-ed25519': given },
        }),
      ).toBe(401);
    const twice = { ...rest, 'x-signature-ed25519': [signature, signature] };
    expect(await refused({ path, body, headers: twice })).toBe(401);
    expect(await refused({ path, body, headers: { 'x-signature-ed25519': signature } })).toBe(401);
    expect(await refused({ path, body, headers: { ...headers, 'x-signature-timestamp': 'NaN' } })).toBe(401);
  });

  test('the other malleable form of a right signature (its scalar plus the order of the group)', async () => {
    const body = command();
    const headers = signed(body);
    const bytes = Buffer.from(headers['x-signature-ed25519'], 'hex');
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`) + order;
    const moved = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').toReversed();
    const forged = Buffer.concat([bytes.subarray(0, 32), moved]).toString('hex');
    expect(await refused({ path, body, headers: { ...headers, 'x-signature-ed25519': forged } })).toBe(401);
  });

  test('the key of another tenant’s application, at either address, and one without a key', async () => {
    const body = command();
    expect(await refused({ path: 'discord/ck_dis/interactions', body, headers: signed(body) })).toBe(401);
    const other = signed(body, { key: otherKeys.privateKey });
    expect(await refused({ path: 'discord/ck_deaf/interactions', body, headers: other })).toBe(401);
  });

  test('an application of a tenant’s own that speaks for a server of another’s', async () => {
    const body = command('1001', { application_id: '901' });
    const headers = signed(body, { key: otherKeys.privateKey });
    expect(await refused({ path: 'discord/ck_dis/interactions', body, headers })).toBe(200);
  });

  test('what only a socket of ours may tell does not come by HTTP', async () => {
    const body = JSON.stringify({
      ...{ name: 'MESSAGE_CREATE', eventId: '1/1', bot: { user: '900', roles: [] } },
      data: { id: '77', channel_id: '5', guild_id: '1001', content: '<@900> forged', author: { id: '7' } },
    });
    expect(await refused({ path: 'discord/gateway', body, headers: signed(body) })).toBe(404);
    expect(await refused({ path, body, headers: signed(body) })).not.toBe(404);
  });

  test('the same call five times, and again after the queue was emptied, has one effect', async () => {
    const body = command();
    const headers = signed(body);
    for (let times = 0; times < 5; times += 1) expect((await post({ path, body, headers })).status).toBe(200);
    await emptyQueue(service());
    expect((await post({ path, body, headers })).status).toBe(200);
    const { messages } = await service().rows('one');
    expect(
      messages.filter(({ text, role }) => text === `asked ${counter}` && role === 'visitor'),
    ).toHaveLength(1);
  });

  test('a body that is no JSON, a compressed one, one of 10 MB', async () => {
    const body = 'not json';
    expect(await refused({ path, body, headers: signed(body) })).toBe(400);
    const good = command();
    const zipped = { ...signed(good), 'content-encoding': 'gzip' };
    expect(await refused({ path, body: gzipSync(good), headers: zipped })).toBe(415);
    const large = 'x'.repeat(10 * 1_048_576);
    expect(await refused({ path, body: large, headers: signed(large) }).catch(() => 413)).toBe(413);
  });
});
