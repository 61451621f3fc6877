import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import twilio from 'twilio';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aServer } from '../../../test/support/a-server.ts';
import { startTwilioSimulator, type TwilioSimulator } from './simulator.ts';

const shop = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'shop token' };
const person = '+15550100';
const number = '+15550001';
const whatsApp = 'whatsapp:+15550003';
const service = `MG${'a'.repeat(32)}`;

type Call = { path: string; headers: IncomingMessage['headers']; params: URLSearchParams };

let simulator: TwilioSimulator;
let calls: Call[];
let customer: Awaited<ReturnType<typeof startCustomer>>;
let answer: (response: ServerResponse, call: Call) => void;

const emptyTwiml = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/xml' }).end('<Response/>');

/** What a customer serves: webhooks, and files that messages point to. */
const startCustomer = () =>
  aServer(async (request, response) => {
    const call = {
      path: request.url ?? '',
      headers: request.headers,
      params: new URLSearchParams(await readText(request)),
    };
    calls.push(call);
    answer(response, call);
  });

function addNumber(smsUrl: string) {
  simulator.addNumber({ accountSid: shop.accountSid, number, kind: 'long_code', smsUrl });
}

async function api(path: string, init: RequestInit = {}): Promise<Response> {
  const authorization = `Basic ${btoa(`${shop.accountSid}:${shop.authToken}`)}`;
  return fetch(`${simulator.url}/2010-04-01/Accounts/${shop.accountSid}/${path}`, {
    ...init,
    headers: { authorization },
    redirect: 'manual',
  });
}

async function send(
  form: Record<string, string>,
): Promise<{ status: number; code: number | undefined; sid: string }> {
  const body = new URLSearchParams({ To: person, From: number, Body: 'Hello', ...form });
  const response = await api('Messages.json', { method: 'POST', body });
  const { code, sid = '' } = (await response.json()) as { code?: number; sid?: string };
  return { status: response.status, code, sid };
}

beforeEach(async () => {
  calls = [];
  answer = emptyTwiml;
  customer = await startCustomer();
  await startSimulator();
});

async function startSimulator(options: Parameters<typeof startTwilioSimulator>[0] = {}): Promise<void> {
  simulator = await startTwilioSimulator(options);
  simulator.addAccount(shop);
  addNumber(`${customer.url}/sms`);
}
afterEach(async () => {
  await simulator.close();
  await customer.close();
});

test('a text is told with all that Twilio tells, and a signature that its library accepts', async () => {
  addNumber(`${customer.url}/sms?channel=a%20b#rc=2&rp=all`);
  const [delivery] = await simulator.text({ from: person, to: number, body: 'Hi ✓' });

  expect(delivery).toMatchObject({ status: 200, contentType: 'text/xml', body: '<Response/>', attempt: 1 });
  const [call] = calls;
  const params = Object.fromEntries(call?.params ?? []);
  expect(call?.path).toBe('/sms?channel=a%20b');
  expect(params).toMatchObject({
    AccountSid: shop.accountSid,
    From: person,
    To: number,
    Body: 'Hi ✓',
    NumMedia: '0',
    NumSegments: '1',
    SmsStatus: 'received',
    ApiVersion: '2010-04-01',
    FromCountry: 'US',
  });
  expect(params['MessageSid']).toMatch(/^SM[0-9a-f]{32}$/);
  expect([params['SmsSid'], params['SmsMessageSid']]).toEqual([params['MessageSid'], params['MessageSid']]);
  const signature = String(call?.headers['x-twilio-signature']);
  const url = `${customer.url}/sms?channel=a%20b`;
  expect(twilio.validateRequest(shop.authToken, signature, url, params)).toBe(true);
  expect(simulator.violations).toEqual([]);
});

test.each(['wrong_token', 'wrong_url', 'missing'] as const)('a signature can be %s', async (signature) => {
  await simulator.text({ from: person, to: number, body: 'Hi', signature, params: { New: 'field' } });
  const [call] = calls;
  const params = Object.fromEntries(call?.params ?? []);
  const given = String(call?.headers['x-twilio-signature'] ?? '');
  expect(params['New']).toBe('field');
  expect(twilio.validateRequest(shop.authToken, given, `${customer.url}/sms`, params)).toBe(false);
});

test('a public address is found behind its proxy and signed as it is public', async () => {
  simulator.route('https://chat.example.com', customer.url);
  addNumber('https://chat.example.com/sms');
  await simulator.text({ from: person, to: number, body: 'Hi' });
  const [call] = calls;
  expect(call?.headers).toMatchObject({ host: 'chat.example.com', 'x-forwarded-proto': 'https' });
  const params = Object.fromEntries(call?.params ?? []);
  const signature = String(call?.headers['x-twilio-signature']);
  expect(twilio.validateRequest(shop.authToken, signature, 'https://chat.example.com/sms', params)).toBe(
    true,
  );
});

test('a user and a password in the address become credentials', async () => {
  addNumber(`${customer.url.replace('//', '//ada:s%40fe@')}/sms`);
  await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(calls[0]?.headers.authorization).toBe(`Basic ${btoa('ada:s@fe')}`);
});

test('the same message can be told again and at once', async () => {
  const [first] = await simulator.text({ from: person, to: number, body: 'Hi' });
  const sid = first?.messageSid ?? '';
  const more = await simulator.text({ from: person, to: number, sid, repeat: 3, atOnce: true });
  expect(more).toHaveLength(3);
  expect(new Set(calls.map(({ params }) => params.get('MessageSid')))).toEqual(new Set([sid]));
  expect(calls.map(({ params }) => params.get('Body'))).toEqual(['Hi', 'Hi', 'Hi', 'Hi']);
});

test('a failed attempt is made once more, with the same sid', async () => {
  answer = (response) => (calls.length === 1 ? response.writeHead(503).end() : emptyTwiml(response));
  const deliveries = await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(deliveries.map(({ status, attempt }) => [attempt, status])).toEqual([
    [1, 503],
    [2, 200],
  ]);
  expect(new Set(calls.map(({ params }) => params.get('MessageSid'))).size).toBe(1);
});

test.each([
  ['', 503, 2],
  ['', 'cut', 2],
  ['', 403, 1],
  ['', 429, 1],
  ['#rc=0', 503, 1],
  ['#rc=3', 503, 4],
  ['#rc=2&rp=4xx', 403, 3],
  ['#rc=2&rp=4xx', 503, 1],
  ['#rc=2&rp=all', 429, 3],
] as const)('behind "%s" an answer of %s takes %i attempts', async (overrides, outcome, attempts) => {
  addNumber(`${customer.url}/sms${overrides}`);
  answer = (response) => (outcome === 'cut' ? response.destroy() : response.writeHead(outcome).end());
  const deliveries = await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(deliveries).toHaveLength(attempts);
  expect(deliveries.at(-1)?.failure).toBe(outcome === 'cut' ? 'connection' : undefined);
});

test('nobody there is a failed connection', async () => {
  const gone = await startCustomer();
  await gone.close();
  addNumber(`${gone.url}/sms`);
  const deliveries = await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(deliveries.map(({ failure }) => failure)).toEqual(['connection', 'connection']);
});

test('an answer after the deadline is a violation', async () => {
  await simulator.close();
  await startSimulator({ webhookDeadlineMs: 300 });
  answer = () => {};
  const deliveries = await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(deliveries).toMatchObject([{ status: undefined, failure: 'timeout' }]);
  expect(deliveries[0]?.tookMs).toBeGreaterThanOrEqual(290);
  expect(simulator.violations).toMatchObject([{ kind: 'late_answer' }]);
});

test('an answer that is not TwiML is a violation', async () => {
  answer = (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('OK');
  await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(simulator.violations).toMatchObject([{ kind: 'twiml' }]);
});

test('messages in the answer are sent', async () => {
  answer = (response) =>
    response
      .writeHead(200, { 'content-type': 'text/xml' })
      .end('<Response><Message>Yes?</Message></Response>');
  await simulator.text({ from: person, to: number, body: 'Hi' });
  await simulator.settled();
  expect(simulator.sent()).toMatchObject([
    { direction: 'outbound-reply', from: number, to: person, body: 'Yes?' },
  ]);
});

test('a number in a service is told to the service, which is named', async () => {
  const inboundUrl = `${customer.url}/service`;
  simulator.addMessagingService({ accountSid: shop.accountSid, sid: service, numbers: [number], inboundUrl });
  await simulator.text({ from: person, to: number, body: 'Hi' });
  expect(calls.map(({ path, params }) => [path, params.get('MessagingServiceSid')])).toEqual([
    ['/service', service],
  ]);
});

test('WhatsApp tells names and buttons instead of places', async () => {
  simulator.addNumber({
    accountSid: shop.accountSid,
    number: whatsApp,
    kind: 'whatsapp',
    smsUrl: `${customer.url}/sms`,
  });
  const press = { profileName: 'Ada', buttonText: 'Yes', buttonPayload: 'yes-1', body: 'Yes' };
  await simulator.text({ from: `whatsapp:${person}`, to: whatsApp, ...press });
  const params = Object.fromEntries(calls[0]?.params ?? []);
  expect(params).toMatchObject({
    ProfileName: 'Ada',
    WaId: '15550100',
    ButtonText: 'Yes',
    ButtonPayload: 'yes-1',
    MessageType: 'button',
  });
  expect(params).not.toHaveProperty('FromCountry');
});

test('a file that comes along is had from the API, which leads to a place without credentials', async () => {
  const bytes = Buffer.from([1, 2, 3]);
  await simulator.text({ from: person, to: number, media: [{ contentType: 'image/png', bytes }] });
  const params = Object.fromEntries(calls[0]?.params ?? []);
  expect(params).toMatchObject({ NumMedia: '1', MediaContentType0: 'image/png', Body: '' });
  expect(params['MessageSid']).toMatch(/^MM/);
  const url = params['MediaUrl0'] ?? '';

  expect((await fetch(url)).status).toBe(401);
  const path = url.split(`${shop.accountSid}/`)[1] ?? '';
  const redirect = await api(path);
  const location = redirect.headers.get('location') ?? '';
  expect(redirect.status).toBe(307);
  expect(new URL(location).origin).toBe(simulator.mediaUrl);
  expect(new URL(location).origin).not.toBe(simulator.url);
  const file = await fetch(location);
  expect(file.headers.get('content-type')).toBe('image/png');
  expect(Buffer.from(await file.arrayBuffer())).toEqual(bytes);
  expect(simulator.violations).toEqual([]);
  const list = (await (await api(`Messages/${params['MessageSid']}/Media.json`)).json()) as object;
  expect(list).toMatchObject({
    media_list: [{ content_type: 'image/png', parent_sid: params['MessageSid'] }],
  });

  const careless = await fetch(location, { headers: { authorization: 'Basic c2hvcDp0b2tlbg==' } });
  expect(careless.status).toBe(400);
  expect(simulator.violations).toMatchObject([{ kind: 'forwarded_credentials' }]);
});

test('files of an outgoing message are fetched, twice and without credentials', async () => {
  answer = (response) => response.writeHead(200, { 'content-type': 'image/png' }).end('png');
  const { sid } = await send({ MediaUrl: `${customer.url}/a.png` });
  await simulator.settled();
  expect(calls.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ['/a.png', undefined],
    ['/a.png', undefined],
  ]);
  expect(sid).toMatch(/^MM/);
  expect(simulator.sent()).toMatchObject([
    { media: [{ contentType: 'image/png', bytes: Buffer.from('png') }] },
  ]);
});

test.each([
  ['is not there', 404, 'image/png', 3, 11200],
  ['is of a type that phones do not take', 200, 'application/zip', 3, 12300],
  ['is larger than 5 MB', 200, 'image/png', 5 * 1_048_576 + 1, 11751],
])('a message whose file %s fails', async (_, status, contentType, size, errorCode) => {
  answer = (response) => response.writeHead(status, { 'content-type': contentType }).end(Buffer.alloc(size));
  const { sid } = await send({ MediaUrl: `${customer.url}/a` });
  await simulator.settled();
  expect(simulator.message(shop.accountSid, sid)).toMatchObject({ status: 'failed', errorCode });
  expect(simulator.sent()).toEqual([]);
});

const statuses = () => calls.map(({ params }) => [params.get('MessageStatus'), params.get('ErrorCode')]);
const ok = (response: ServerResponse) => response.writeHead(204).end();

test('what becomes of a message is told in order, signed', async () => {
  answer = ok;
  const { sid } = await send({ StatusCallback: `${customer.url}/status?d=1#rc=2` });
  await simulator.settled();
  expect(statuses()).toEqual([
    ['queued', null],
    ['sent', null],
    ['delivered', null],
  ]);
  for (const { path, params, headers } of calls) {
    const said = Object.fromEntries(params);
    expect(path).toBe('/status?d=1');
    expect(said).toMatchObject({ MessageSid: sid, SmsSid: sid, AccountSid: shop.accountSid, From: number });
    const signature = String(headers['x-twilio-signature']);
    expect(twilio.validateRequest(shop.authToken, signature, `${customer.url}/status?d=1`, said)).toBe(true);
  }
  // Only the answer to an incoming message is TwiML.
  expect(simulator.violations).toEqual([]);
});

test('a plan can let messages fail, twist the order, repeat and be silent', async () => {
  answer = ok;
  const StatusCallback = `${customer.url}/status`;
  simulator.planStatuses({ steps: ['sent', { status: 'undelivered', errorCode: 30003 }], times: 1 });
  simulator.planStatuses({ steps: ['delivered', 'sent', 'sent'], times: 1 });
  simulator.planStatuses({ steps: [] });
  const failed = await send({ StatusCallback });
  await simulator.settled();
  const twisted = await send({ StatusCallback });
  await simulator.settled();
  const silent = await send({ StatusCallback });
  await simulator.settled();

  expect(statuses()).toEqual([
    ['sent', null],
    ['undelivered', '30003'],
    ['delivered', null],
    ['sent', null],
    ['sent', null],
  ]);
  const now = (sid: string) => simulator.message(shop.accountSid, sid)?.status;
  expect([now(failed.sid), now(twisted.sid), now(silent.sid)]).toEqual(['undelivered', 'delivered', 'sent']);
  expect(simulator.sent().map(({ sid }) => sid)).toEqual([twisted.sid, silent.sid]);
});

test('statuses come after the answer, or before it when planned so', async () => {
  const order: string[] = [];
  answer = (response, { params }) => {
    order.push(String(params.get('MessageStatus')));
    ok(response);
  };
  const StatusCallback = `${customer.url}/status`;
  simulator.planStatuses({ steps: ['queued', 'sent'], beforeAnswer: true, times: 1 });
  await send({ StatusCallback });
  order.push('answered');
  expect(order).toEqual(['queued', 'sent', 'answered']);
});

test('somebody who says STOP gets nothing from that number until they say START', async () => {
  const other = '+15550002';
  simulator.addNumber({ accountSid: shop.accountSid, number: other, kind: 'long_code' });
  await simulator.text({ from: person, to: number, body: 'please stop' });
  expect((await send({})).status).toBe(201);

  await simulator.text({ from: person, to: number, body: ' Stop ' });
  expect(await send({})).toMatchObject({ status: 400, code: 21610 });
  expect((await send({ From: other })).status).toBe(201);
  expect((await send({ To: '+15550200' })).status).toBe(201);

  await simulator.text({ from: person, to: number, body: 'unstop' });
  expect((await send({})).status).toBe(201);
  expect(simulator.twilioReplies).toMatchObject([
    { from: number, to: person, body: expect.stringContaining('unsubscribed') },
    { from: number, to: person, body: expect.stringContaining('re-subscribed') },
  ]);
  // The customer is told of the words all the same.
  expect(calls.map(({ params }) => params.get('Body'))).toEqual(['please stop', ' Stop ', 'unstop']);
  expect(calls.some(({ params }) => params.has('OptOutType'))).toBe(false);
});

test('somebody who never opted out may say yes', async () => {
  await simulator.text({ from: person, to: number, body: 'Yes' });
  await simulator.text({ from: person, to: number, body: 'help' });
  expect(simulator.twilioReplies.map(({ body }) => body)).toEqual([
    'Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
  ]);
});

test('Advanced Opt-Out names the kind of word, and holds for all numbers of the service', async () => {
  const second = '+15550002';
  simulator.addNumber({ accountSid: shop.accountSid, number: second, kind: 'short_code' });
  simulator.addMessagingService({
    accountSid: shop.accountSid,
    sid: service,
    numbers: [number, second],
    inboundUrl: `${customer.url}/service`,
    advancedOptOut: true,
  });
  for (const body of ['STOP', 'HELP', 'START', 'hello', 'quit'])
    await simulator.text({ from: person, to: second, body });
  expect(calls.map(({ params }) => params.get('OptOutType'))).toEqual([
    'STOP',
    'HELP',
    'START',
    null,
    'STOP',
  ]);
  expect(await send({ From: number })).toMatchObject({ code: 21610 });

  // Told once more, it is the same in everything.
  const [first] = calls;
  await simulator.text({ from: person, to: second, sid: first?.params.get('MessageSid') ?? '' });
  expect(calls.at(-1)?.params.toString()).toBe(first?.params.toString());
  expect(await send({ From: number })).toMatchObject({ code: 21610 });
});

test.each([
  ['a standalone short code', '12345', 'short_code', person],
  ['WhatsApp', whatsApp, 'whatsapp', `whatsapp:${person}`],
] as const)('%s leaves opting out to the customer', async (_, sender, kind, from) => {
  simulator.addNumber({ accountSid: shop.accountSid, number: sender, kind });
  await simulator.text({ from, to: sender, body: 'STOP' });
  expect(simulator.twilioReplies).toEqual([]);
  expect((await send({ From: sender, To: from })).status).toBe(201);
});
