import twilio from 'twilio';
import type RequestClient from 'twilio/lib/base/RequestClient.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTwilioSimulator, type TwilioSimulator, type TwilioSimulatorOptions } from './simulator.ts';

const shop = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'shop token' };
const bank = { accountSid: `AC${'b'.repeat(32)}`, authToken: 'bank token' };
const person = '+15550100';
const shopNumber = '+15550001';
const bankNumber = '+15550002';
const whatsApp = 'whatsapp:+15550003';
const service = `MG${'a'.repeat(32)}`;

let simulator: TwilioSimulator;

async function start(options: TwilioSimulatorOptions = {}): Promise<void> {
  simulator = await startTwilioSimulator(options);
  simulator.addAccount(shop);
  simulator.addAccount(bank);
  simulator.addNumber({ accountSid: shop.accountSid, number: shopNumber, kind: 'long_code' });
  simulator.addNumber({ accountSid: bank.accountSid, number: bankNumber, kind: 'long_code' });
  simulator.addNumber({ accountSid: shop.accountSid, number: whatsApp, kind: 'whatsapp' });
}

/** Twilio's SDK, with its one way to another origin. */
function client({ accountSid, authToken } = shop) {
  class SimulatedClient extends twilio.RequestClient {
    override request<T>(options: RequestClient.RequestOptions<T>) {
      options.uri = options.uri.replace('https://api.twilio.com', simulator.url);
      return super.request<T>(options);
    }
  }
  return twilio(accountSid, authToken, { httpClient: new SimulatedClient({ timeout: 2_000 }) });
}

const hello = { to: person, from: shopNumber, body: 'Hello' };

beforeEach(() => start());
afterEach(() => simulator.close());

test('a message is answered as Twilio answers and reaches the person', async () => {
  const message = await client().messages.create(hello);

  expect(message).toMatchObject({
    ...hello,
    accountSid: shop.accountSid,
    status: 'queued',
    direction: 'outbound-api',
    numSegments: '1',
    numMedia: '0',
    price: null,
    errorMessage: null,
    messagingServiceSid: null,
    dateSent: null,
    apiVersion: '2010-04-01',
  });
  expect(message.sid).toMatch(/^SM[0-9a-f]{32}$/);
  expect(Math.abs(message.dateCreated.getTime() - Date.now())).toBeLessThan(5_000);

  await simulator.settled();
  expect(simulator.sent()).toMatchObject([{ ...hello, sid: message.sid, segments: 1, media: [] }]);
  expect(await client().messages(message.sid).fetch()).toMatchObject({ status: 'delivered', body: 'Hello' });
});

test.each([
  ['no To', { to: '' }, 400, 21604],
  ['a To without a plus', { to: '15550100' }, 400, 21211],
  ['a short code as To', { to: '12345' }, 400, 21211],
  ['no sender', { from: undefined }, 400, 21603],
  ['a sender that is no number', { from: 'Shop' }, 400, 21212],
  ['a sender that is nobody’s', { from: '+15559999' }, 400, 21659],
  ['a sender of another account', { from: bankNumber }, 400, 21660],
  ['the same number on both sides', { to: shopNumber }, 400, 21266],
  ['channels that do not match', { to: `whatsapp:${person}` }, 400, 21910],
  ['an unknown WhatsApp sender', { from: 'whatsapp:+15559999', to: `whatsapp:${person}` }, 400, 63007],
  ['nothing to say', { body: '' }, 400, 21602],
  ['too long a body', { body: 'x'.repeat(1_601) }, 400, 21617],
  ['a callback that is no address', { statusCallback: 'example.com/status' }, 400, 21609],
  ['media that is no address', { mediaUrl: ['file:///etc/passwd'] }, 400, 21620],
  ['too many files', { mediaUrl: Array.from({ length: 11 }, (_, i) => `http://127.0.0.1/${i}`) }, 400, 21623],
  ['an unknown service', { from: undefined, messagingServiceSid: service }, 400, 21701],
] as const)('%s is refused', async (_, change, status, code) => {
  const { to = person, ...rest } = { ...hello, ...change } as Partial<typeof hello>;
  const call = client().messages.create({ to, ...rest });

  await expect(call).rejects.toMatchObject({
    status,
    code,
    moreInfo: `https://www.twilio.com/docs/errors/${code}`,
  });
  await simulator.settled();
  expect(simulator.sent()).toEqual([]);
  expect(simulator.calls).toMatchObject([{ status, code, method: 'POST', accountSid: shop.accountSid }]);
});

test('the longest body is taken and its segments are counted', async () => {
  expect(await client().messages.create({ ...hello, body: 'x'.repeat(1_600) })).toMatchObject({
    numSegments: '11',
  });
});

test("a wrong token and another account's address are refused and noted", async () => {
  const wrong = client({ ...shop, authToken: bank.authToken });
  await expect(wrong.messages.create(hello)).rejects.toMatchObject({ status: 401, code: 20003 });
  const foreign = client().api.v2010.accounts(bank.accountSid).messages.create(hello);
  await expect(foreign).rejects.toMatchObject({ status: 401, code: 20003 });
  const anonymous = await fetch(`${simulator.url}/2010-04-01/Accounts/${shop.accountSid}/Messages.json`);

  expect(anonymous.status).toBe(401);
  expect(simulator.violations.map(({ kind }) => kind)).toEqual(['credentials', 'credentials']);
  expect(simulator.calls.map(({ accountSid }) => accountSid)).toEqual([
    undefined,
    shop.accountSid,
    undefined,
  ]);
});

test("sending from another account's number is noted", async () => {
  await client()
    .messages.create({ ...hello, from: bankNumber })
    .catch(() => {});
  expect(simulator.violations).toMatchObject([{ kind: 'foreign_sender' }]);
});

test('an account sees its own messages only', async () => {
  const { sid } = await client().messages.create(hello);
  const other = client(bank).messages(sid);
  await expect(other.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  expect(await client(bank).messages.list()).toEqual([]);
});

test('the log is paged, newest first, and a message that comes meanwhile shifts nothing', async () => {
  for (const body of ['1', '2', '3', '4', '5']) await client().messages.create({ ...hello, body });
  const first = await client().messages.page({ pageSize: 2 });
  await client().messages.create({ ...hello, body: '6' });
  const second = await first.nextPage();
  const third = await second?.nextPage();

  expect(first.instances.map(({ body }) => body)).toEqual(['5', '4']);
  expect(second?.instances.map(({ body }) => body)).toEqual(['3', '2']);
  expect(third?.instances.map(({ body }) => body)).toEqual(['1']);
  expect(third?.nextPage()).toBeUndefined();
  expect((await client().messages.list({ pageSize: 2 })).map(({ body }) => body)).toEqual([...'654321']);
});

test('the log is filtered by To, From and the time of sending', async () => {
  let now = new Date('2026-03-01T23:59:59.500Z');
  await simulator.close();
  await start({ now: () => now });
  await client().messages.create({ ...hello, body: 'first' });
  await simulator.settled();
  now = new Date('2026-03-02T00:00:05Z');
  await client().messages.create({ ...hello, to: '+15550200', body: 'second' });
  await simulator.settled();
  const bodies = async (filter: Parameters<ReturnType<typeof client>['messages']['list']>[0]) =>
    (await client().messages.list(filter)).map(({ body }) => body);

  expect(await bodies({ to: person })).toEqual(['first']);
  expect(await bodies({ from: bankNumber })).toEqual([]);
  expect(await bodies({ dateSentAfter: new Date('2026-03-01T23:59:59Z') })).toEqual(['second', 'first']);
  expect(await bodies({ dateSentAfter: new Date('2026-03-02T00:00:00Z') })).toEqual(['second']);
  expect(await bodies({ dateSentBefore: new Date('2026-03-02T00:00:00Z') })).toEqual(['first']);
  const day = new URLSearchParams({ 'DateSent<': '2026-03-01' });
  expect((await get(`Messages.json?${day}`))['messages']).toMatchObject([{ body: 'first' }]);
});

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${simulator.url}/2010-04-01/Accounts/${shop.accountSid}/${path}`, {
    headers: { authorization: `Basic ${btoa(`${shop.accountSid}:${shop.authToken}`)}` },
  });
  return (await response.json()) as Record<string, unknown>;
}

test('what waits in the queue has no time of sending', async () => {
  await simulator.close();
  await start({ segmentsPerSecond: 1 });
  for (const body of ['gone', 'waits']) await client().messages.create({ ...hello, body });
  await expect.poll(() => simulator.sent().length).toBe(1);

  const since = { dateSentAfter: new Date(0) };
  expect((await client().messages.list(since)).map(({ body }) => body)).toEqual(['gone']);
  expect(await client().messages.list()).toHaveLength(2);
});

test('a messaging service takes a message first and chooses the number afterwards', async () => {
  simulator.addMessagingService({
    accountSid: shop.accountSid,
    sid: service,
    numbers: [shopNumber, whatsApp],
  });
  const request = { to: person, body: 'Hello', messagingServiceSid: service };
  expect(await client().messages.create(request)).toMatchObject({
    status: 'accepted',
    from: null,
    numSegments: '0',
    messagingServiceSid: service,
  });
  await simulator.settled();
  expect(simulator.sent({ messagingServiceSid: service })).toMatchObject([{ from: shopNumber }]);
  const outsider = client().messages.create({ ...request, from: bankNumber });
  await expect(outsider).rejects.toMatchObject({ code: 21660 });
});

test('a service goes on with the number that the person wrote to', async () => {
  const second = '+15550004';
  simulator.addNumber({ accountSid: shop.accountSid, number: second, kind: 'long_code' });
  simulator.addMessagingService({ accountSid: shop.accountSid, sid: service, numbers: [shopNumber, second] });
  await simulator.text({ from: person, to: second, body: 'hi' });
  await client().messages.create({ to: person, body: 'Hello', messagingServiceSid: service });
  await simulator.settled();
  expect(simulator.sent()).toMatchObject([{ from: second }]);
});

test('messages leave a number in order and at its pace', async () => {
  await simulator.close();
  await start({ segmentsPerSecond: 20 });
  const startedAt = performance.now();
  for (const body of ['1', 'x'.repeat(161), '3']) await client().messages.create({ ...hello, body });
  await simulator.settled();

  expect(simulator.sent().map(({ body }) => body.length)).toEqual([1, 161, 1]);
  // One segment and two go before the third message.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
});

test('a full queue refuses, or lets messages of a service fail', async () => {
  await simulator.close();
  await start({ segmentsPerSecond: 1, queueSegmentsMax: 2 });
  simulator.addMessagingService({ accountSid: shop.accountSid, sid: service, numbers: [shopNumber] });
  const body = 'x'.repeat(161);
  await client().messages.create(hello);
  await client().messages.create({ ...hello, body });

  await expect(client().messages.create({ ...hello, body })).rejects.toMatchObject({ code: 21611 });
  const taken = await client().messages.create({ to: person, body, messagingServiceSid: service });
  await expect
    .poll(async () => client().messages(taken.sid).fetch())
    .toMatchObject({ status: 'failed', errorCode: 30001 });
});

test('an account that calls too often is told so', async () => {
  simulator.addAccount({ ...shop, requestsPerSecondMax: 2 });
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => client().messages.create(hello)));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { status: 429, code: 20429 } },
  ]);
  expect(await client(bank).messages.list()).toEqual([]);
});

test('WhatsApp takes free text for 24 hours after the person wrote, and templates always', async () => {
  let now = new Date('2026-03-01T00:00:00Z');
  await simulator.close();
  await start({ now: () => now });
  const to = `whatsapp:${person}`;
  const send = (more: { body?: string; contentSid?: string; contentVariables?: string }) =>
    client().messages.create({ to, from: whatsApp, ...more });
  const template = { contentSid: `HX${'a'.repeat(32)}` };

  await expect(send({ body: 'Hello' })).rejects.toMatchObject({ code: 63016 });
  await simulator.text({ from: to, to: whatsApp, body: 'hi' });
  now = new Date('2026-03-01T23:59:59Z');
  await send({ body: 'in time' });
  now = new Date('2026-03-02T00:00:00Z');
  await expect(send({ body: 'late' })).rejects.toMatchObject({ code: 63016 });
  await send({ ...template, contentVariables: '{"1":"Ada"}' });
  await expect(send({ ...template, contentVariables: '{"1":"two\\nlines"}' })).rejects.toMatchObject({
    code: 21656,
  });
  simulator.addContent({ accountSid: shop.accountSid, sid: template.contentSid, body: 'Hello {{1}}' });
  await send({ ...template, contentVariables: '{"1":"Bob"}' });
  await expect(send({ contentSid: 'HXunknown' })).rejects.toMatchObject({ code: 21655 });

  await simulator.settled();
  expect(simulator.sent()).toMatchObject([
    { body: 'in time', contentSid: undefined },
    { body: '', ...template, contentVariables: '{"1":"Ada"}' },
    { body: 'Hello Bob', ...template },
  ]);
});

test('outside the window a message can also be taken and fail', async () => {
  await simulator.close();
  await start({ outsideWindow: 'failed' });
  const message = await client().messages.create({ to: `whatsapp:${person}`, from: whatsApp, body: 'Hello' });
  await simulator.settled();
  expect(simulator.message(shop.accountSid, message.sid)).toMatchObject({
    status: 'failed',
    errorCode: 63016,
  });
  expect(simulator.sent()).toEqual([]);
});

test.each([
  ['rate_limit', { retryAfterSeconds: 7 }, { status: 429, code: 20429 }],
  ['http_500', { status: 503 }, { status: 503 }],
  ['error', { status: 400, code: 21614 }, { status: 400, code: 21614 }],
  ['drop', {}, { code: 'ECONNRESET' }],
] as const)('a planned %s befalls so many calls and does nothing', async (kind, more, error) => {
  simulator.fail({ kind, times: 2, ...more });
  await expect(client().messages.create(hello)).rejects.toMatchObject(error);
  expect(await client().messages.list()).toEqual([]);
  await expect(client().messages.create(hello)).rejects.toMatchObject(error);
  await client().messages.create(hello);
  await simulator.settled();
  expect(simulator.sent()).toHaveLength(1);
  expect(simulator.calls.map(({ fault }) => fault)).toEqual([kind, undefined, kind, undefined]);
});

test('a rate limit tells when to come back', async () => {
  simulator.fail({ kind: 'rate_limit', on: 'any', retryAfterSeconds: 7 });
  const response = await fetch(`${simulator.url}/2010-04-01/Accounts/${shop.accountSid}.json`, {
    headers: { authorization: `Basic ${btoa(`${shop.accountSid}:${shop.authToken}`)}` },
  });
  expect(response.headers.get('retry-after')).toBe('7');
  expect(await client().api.v2010.accounts(shop.accountSid).fetch()).toMatchObject({ status: 'active' });
});

test('an answer that is lost leaves a message behind', async () => {
  simulator.fail({ kind: 'answer_lost' });
  await expect(client().messages.create(hello)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await simulator.settled();
  expect(simulator.sent()).toHaveLength(1);
  expect(await client().messages.list({ to: person })).toMatchObject([
    { body: 'Hello', status: 'delivered' },
  ]);
});

test('a slow answer comes late, the message does not', async () => {
  simulator.fail({ kind: 'slow', delayMs: 300 });
  const answer = client().messages.create(hello);
  await expect.poll(() => simulator.sent().length, { interval: 10, timeout: 250 }).toBe(1);
  expect(await answer).toMatchObject({ status: 'queued' });
});

test('the judge can begin anew', async () => {
  await client().messages.create(hello);
  await simulator.settled();
  simulator.fail({ kind: 'drop' });
  simulator.forget();
  expect([simulator.calls, simulator.sent(), simulator.deliveries, simulator.violations]).toEqual([
    [],
    [],
    [],
    [],
  ]);
  await client().messages.create(hello);
  expect(await client().messages.list()).toHaveLength(2);
});
