import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId, toWire, type Uuid } from '#domain/ids.ts';
import { startTwilioSimulator, type TwilioSimulator } from '../../simulators/twilio/simulator.ts';
import type { ConsentChange, OpenChannel, OutboundAttachment, OutboundMessage } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import { createPacer } from '../pacer.ts';
import { createTwilioGateway, type TwilioGatewayParts } from './index.ts';
import { statusAddress } from './status-address.ts';

const ours = '+15550001';
const theirs = '+15550100';
const daily = { from: '21:00', to: '08:00', timeZone: 'UTC', answers: false };
const noon = Date.parse('2026-05-01T12:00:00Z');
const night = Date.parse('2026-05-01T23:00:00Z');
/** Nobody answers there, which for a status is how it is meant. */
const nowhere = 'http://127.0.0.1:9';

let twilio: TwilioSimulator;
let media: { url: string; close(): Promise<void> };
let account = 0;
let accountSid: string;
let consents: ReturnType<typeof aLedger>;

beforeAll(async () => {
  media = await aServer((_, response) => response.setHeader('content-type', 'image/png').end('png'));
});
afterAll(() => media.close());

beforeEach(async () => {
  twilio = await startTwilioSimulator();
  account++;
  accountSid = `AC${account}`;
  consents = aLedger();
  twilio.addAccount({ accountSid, authToken: `token-${account}` });
  for (const number of [ours, `whatsapp:${ours}`])
    twilio.addNumber({ accountSid, number, kind: number === ours ? 'long_code' : 'whatsapp' });
  twilio.addContent({ accountSid, sid: 'HX1', body: 'News for you: {{1}} Write to us.' });
  twilio.planStatuses({ steps: [] });
});
afterEach(() => twilio.close());

async function aServer(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

function aLedger() {
  const changes: ConsentChange[] = [];
  return {
    changes,
    async isOptedOut(_: Uuid, [sender = '']: readonly string[], recipient: string) {
      const last = changes.findLast((change) => change.sender === sender && change.recipient === recipient);
      return last?.state === 'opted_out';
    },
    async record(_: unknown, change: ConsentChange) {
      changes.push(change);
    },
  };
}

function aChannel(settings: object = {}, over: Partial<OpenChannel> = {}): OpenChannel {
  return {
    tenantId: newId(),
    id: newId(),
    platform: 'twilio',
    key: 'ck_sms',
    settings: { accountSid, number: ours, ...settings },
    secrets: { authToken: `token-${account}` },
    status: 'active',
    version: 1,
    statusReason: undefined,
    tenantStatus: 'active',
    tenantSettings: {},
    organizationSettings: {},
    agent: undefined,
    ...over,
  };
}

function aMessage(over: Partial<OutboundMessage> = {}): OutboundMessage {
  return {
    deliveryId: newId(),
    messageId: newId(),
    turnId: newId(),
    attempt: 1,
    interrupted: false,
    role: 'agent',
    text: 'It is on its way.',
    content: {},
    attachments: [],
    createdAt: new Date(),
    lastInboundAt: new Date(),
    conversationId: newId(),
    conversationExternalId: `${ours}/${theirs}`,
    participantExternalId: theirs,
    externalIds: [],
    ...over,
  };
}

const onWhatsApp = (over: Partial<OutboundMessage> = {}) =>
  aMessage({ conversationExternalId: `whatsapp:${ours}/whatsapp:${theirs}`, ...over });

const anImage = (over: Partial<OutboundAttachment> = {}): OutboundAttachment => ({
  fileId: newId(),
  name: 'chart.png',
  contentType: 'image/png',
  sizeBytes: 1_000,
  ...over,
});

function aGateway(over: Partial<TwilioGatewayParts> = {}) {
  return createTwilioGateway({
    apiUrl: twilio.url,
    publicUrl: () => `${nowhere}/`,
    consents,
    files: { sign: (tenantId, id, ttlMs) => `${media.url}/${tenantId}/${id}?ttl=${ttlMs}` },
    texts: { stop: 'Stopped.', start: 'Started.', help: 'Help.' },
    fetch: () => Promise.reject(new Error('must not be called')),
    // Without a pace, which is not what is shown here.
    pacer: { take: async () => {} },
    ...over,
  });
}

type Kept = { number: number; externalId: string; segments: number | undefined };

/** Sends, and tells what became of it and what was kept on the way. */
async function send(
  message: OutboundMessage,
  {
    channel = aChannel(),
    signal = new AbortController().signal,
    ...parts
  }: Partial<TwilioGatewayParts> & {
    channel?: OpenChannel;
    signal?: AbortSignal;
    onPart?: (number: number) => void;
  } = {},
) {
  const kept: Kept[] = [];
  const outcome = await aGateway(parts)
    .send(channel, message, {
      signal,
      async keepPart(number, externalId, details) {
        kept.push({ number, externalId, segments: details?.segments });
        parts.onPart?.(number);
      },
    })
    .then(
      ({ externalIds }) => ({ externalIds, error: undefined }),
      (error: unknown) => ({ externalIds: undefined, error: error as GatewayError }),
    );
  return { ...outcome, kept };
}

/** What was posted to make messages, oldest first. */
const made = () => twilio.calls.filter(({ method }) => method === 'POST').map(({ params }) => params);
const bodiesMade = () => made().map((params) => params.get('Body'));

const fourThousand = Array.from({ length: 40 }, (_, n) =>
  `Sentence number ${n} of a long answer. `.repeat(3),
).join('\n\n');

describe('a message', () => {
  test('goes out from the number that was written to, and is recorded under Twilio’s id', async () => {
    const message = aMessage();
    const { externalIds, kept } = await send(message);
    await twilio.settled();
    const [sent] = twilio.sent({ accountSid });
    expect(sent).toMatchObject({ from: ours, to: theirs, body: 'It is on its way.' });
    expect(externalIds).toEqual([sent?.sid]);
    expect(kept).toEqual([{ number: 1, externalId: sent?.sid, segments: 1 }]);
    expect(Object.fromEntries(made()[0] ?? [])).toEqual({
      To: theirs,
      From: ours,
      Body: 'It is on its way.',
      StatusCallback: `${nowhere}/webhooks/twilio/ck_sms/status?delivery=${toWire('delivery', message.deliveryId)}&part=1`,
    });
    expect(twilio.violations).toEqual([]);
  });

  test('of the shared account is sent with its token, and told of without a channel’s key', async () => {
    const sharedAccount = { accountSid, authToken: `token-${account}` };
    const channel = aChannel({}, { settings: { number: ours }, secrets: {} });
    const { error } = await send(aMessage(), { channel, sharedAccount });
    expect(error).toBeUndefined();
    expect(made()[0]?.get('StatusCallback')).toContain(`${nowhere}/webhooks/twilio/status?`);
  });

  test('of a messaging service leaves the number to it', async () => {
    twilio.addMessagingService({ accountSid, sid: `MG${account}`, numbers: [ours] });
    const { kept } = await send(aMessage({ text: 'я'.repeat(100) }), {
      channel: aChannel({ messagingService: `MG${account}` }),
    });
    await twilio.settled();
    expect(made()[0]?.get('MessagingServiceSid')).toBe(`MG${account}`);
    expect(made()[0]?.has('From')).toBe(false);
    expect(twilio.sent({ accountSid })).toHaveLength(1);
    // Twilio does not know the segments yet, so they are those that were counted here.
    expect(kept).toMatchObject([{ segments: 2 }]);
  });

  test('that is long goes out in parts, each recorded before the next', async () => {
    const order: string[] = [];
    const { externalIds, kept } = await send(aMessage({ text: fourThousand }), {
      onPart: (number) => order.push(`${number} of ${made().length}`),
    });
    expect(made().length).toBeGreaterThan(2);
    expect(order).toEqual(made().map((_, index) => `${index + 1} of ${index + 1}`));
    expect(kept.map(({ externalId }) => externalId)).toEqual(externalIds);
    for (const body of bodiesMade()) expect(body?.length).toBeLessThanOrEqual(1_600);
    expect(words(bodiesMade().join(' '))).toEqual(words(fourThousand));
    expect(
      made().map((params) => new URL(params.get('StatusCallback') ?? '').searchParams.get('part')),
    ).toEqual(made().map((_, index) => String(index + 1)));
  });

  test('goes on behind the parts that are out', async () => {
    await send(aMessage({ text: fourThousand }));
    const all = bodiesMade();
    twilio.forget();
    const { externalIds } = await send(aMessage({ text: fourThousand, externalIds: ['SM1', 'SM2'] }));
    expect(bodiesMade()).toEqual(all.slice(2));
    expect(externalIds?.slice(0, 2)).toEqual(['SM1', 'SM2']);
    expect(externalIds).toHaveLength(all.length);
  });

  test('that is out is not sent again', async () => {
    expect(await send(aMessage({ externalIds: ['SM1'] }))).toMatchObject({ externalIds: ['SM1'], kept: [] });
    expect(twilio.calls).toEqual([]);
  });

  test('that shows nothing is sent all the same, as what stands for nothing', async () => {
    expect((await send(aMessage({ text: ' ' }))).error).toBeUndefined();
    expect(bodiesMade()).toEqual(['…']);
  });

  test('stops between parts when its time is up, and goes on in the next attempt', async () => {
    const claim = new AbortController();
    const { error, kept } = await send(aMessage({ text: fourThousand }), {
      signal: claim.signal,
      onPart: (number) => number === 2 && claim.abort(),
    });
    expect(error).toMatchObject({
      code: 'gateway_not_now',
      retry: 'later',
      retryAfterMs: 0,
      mayHaveArrived: false,
    });
    expect(kept).toHaveLength(2);
    expect(made()).toHaveLength(2);
  });

  test('that is more than the number’s burst is put off, and goes on with the part that it stopped at', async () => {
    let nowMs = 0;
    const pacer = createPacer(
      () => nowMs,
      async () => {},
    );
    const long = aMessage({ text: `${fourThousand} `.repeat(4) });
    const first = await send(long, { pacer });
    // The parts have ten segments or so each: those within the burst and within a short wait go out.
    expect(first.error).toMatchObject({ code: 'gateway_not_now' });
    const kept = first.kept.length;
    expect(kept).toBeGreaterThan(4);
    nowMs += first.error?.retryAfterMs ?? 0;
    const externalIds = first.kept.map(({ externalId }) => externalId);
    const second = await send({ ...long, externalIds }, { pacer });
    expect(second.kept[0]).toMatchObject({ number: kept + 1 });
  });

  test('of one number does not wait for another’s', async () => {
    const pacer = createPacer(() => 0);
    expect((await send(aMessage({ text: 'a'.repeat(1_600) }), { pacer })).error).toBeUndefined();
    const whatsApp = await send(onWhatsApp(), { pacer });
    expect(whatsApp.error).not.toMatchObject({ code: 'gateway_not_now' });
  });
});

const words = (text: string) => text.split(/\s+/).filter(Boolean);

describe('somebody who has opted out', () => {
  const stopped = { sender: ours, recipient: theirs, state: 'opted_out', source: 'STOP' } as const;

  test('is sent nothing', async () => {
    consents.changes.push(stopped);
    const { error } = await send(aMessage());
    expect(error).toMatchObject({ code: 'gateway_recipient_opted_out', retry: 'never' });
    expect(twilio.calls).toEqual([]);
  });

  test('is sent the confirmation of it', async () => {
    consents.changes.push(stopped);
    const { error } = await send(aMessage({ content: { consentNotice: true }, turnId: undefined }), {
      channel: aChannel({ quietHours: daily }),
      nowMs: () => night,
    });
    expect(error).toBeUndefined();
  });

  test('hears from other senders as before', async () => {
    consents.changes.push({ ...stopped, sender: 'MG9' }, { ...stopped, recipient: '+15550101' });
    expect((await send(aMessage())).error).toBeUndefined();
  });

  test('between two parts does not get the second', async () => {
    const { error, kept } = await send(aMessage({ text: fourThousand }), {
      onPart: () => consents.changes.push(stopped),
    });
    expect(error).toMatchObject({ code: 'gateway_recipient_opted_out' });
    expect(kept).toHaveLength(1);
    expect(made()).toHaveLength(1);
  });

  test('while the message waits for its turn does not get it', async () => {
    const pacer = {
      async take() {
        consents.changes.push(stopped);
      },
    };
    expect((await send(aMessage(), { pacer })).error).toMatchObject({ code: 'gateway_recipient_opted_out' });
    expect(made()).toEqual([]);
  });

  test('at Twilio, which we did not know, is kept in the ledger for this sender alone', async () => {
    await twilio.text({ from: theirs, to: ours, body: 'STOP' });
    const { error } = await send(aMessage());
    expect(error).toMatchObject({
      code: 'gateway_recipient_opted_out',
      retry: 'never',
      platformCode: '21610',
    });
    expect(consents.changes).toEqual([
      { sender: ours, recipient: theirs, state: 'opted_out', source: '21610' },
    ]);
    twilio.forget();
    await send(aMessage());
    expect(twilio.calls).toEqual([]);
  });

  test('of a messaging service is kept for the service', async () => {
    twilio.addMessagingService({ accountSid, sid: `MG${account}`, numbers: [ours] });
    await twilio.text({ from: theirs, to: ours, body: 'STOP' });
    await send(aMessage(), { channel: aChannel({ messagingService: `MG${account}` }) });
    expect(consents.changes).toMatchObject([{ sender: `MG${account}`, source: '21610' }]);
  });
});

describe('in quiet hours', () => {
  const channel = () => aChannel({ quietHours: daily });

  test('what is said of our own accord waits until they end', async () => {
    const { error } = await send(aMessage({ turnId: undefined }), { channel: channel(), nowMs: () => night });
    expect(error).toMatchObject({ code: 'gateway_not_now', retry: 'later', retryAfterMs: 9 * 3_600_000 });
    expect(twilio.calls).toEqual([]);
  });

  test('answers go out, unless they are to wait too', async () => {
    expect((await send(aMessage(), { channel: channel(), nowMs: () => night })).error).toBeUndefined();
    const held = aChannel({ quietHours: { ...daily, answers: true } });
    expect((await send(aMessage(), { channel: held, nowMs: () => night })).error).toMatchObject({
      code: 'gateway_not_now',
    });
  });

  test('a message that has begun is ended', async () => {
    const message = aMessage({ turnId: undefined, text: fourThousand, externalIds: ['SM1'] });
    expect((await send(message, { channel: channel(), nowMs: () => night })).error).toBeUndefined();
  });

  test('of the tenant or the organization hold for its channels, and a channel’s own go before', async () => {
    const level = { twilio: { quietHours: daily } };
    const proactive = () => aMessage({ turnId: undefined });
    const late = { nowMs: () => night };
    for (const over of [{ tenantSettings: level }, { organizationSettings: level }])
      expect((await send(proactive(), { channel: aChannel({}, over), ...late })).error).toMatchObject({
        code: 'gateway_not_now',
      });
    const own = aChannel({ quietHours: { ...daily, from: '02:00', to: '03:00' } }, { tenantSettings: level });
    expect((await send(proactive(), { channel: own, ...late })).error).toBeUndefined();
  });

  test('and outside of them everything goes out', async () => {
    const { error } = await send(aMessage({ turnId: undefined }), { channel: channel(), nowMs: () => noon });
    expect(error).toBeUndefined();
  });
});

describe('on WhatsApp', () => {
  const template = { contentSid: 'HX1', textVariable: '1' };
  const withTemplate = () => aChannel({ number: `whatsapp:${ours}`, template });
  const writes = () => twilio.text({ from: `whatsapp:${theirs}`, to: `whatsapp:${ours}`, body: 'Hi' });
  const longAgo = new Date(Date.now() - 25 * 3_600_000);

  test('free text goes out while the person’s window is open', async () => {
    await writes();
    const { kept, error } = await send(onWhatsApp(), { channel: withTemplate() });
    expect(error).toBeUndefined();
    expect(kept).toMatchObject([{ segments: 1 }]);
    expect(made()[0]?.get('Body')).toBe('It is on its way.');
  });

  test('a template goes out when it is closed, its text on one line', async () => {
    const text = 'Your order:\n\n1. one\n2. two';
    const { error } = await send(onWhatsApp({ text, lastInboundAt: longAgo }), { channel: withTemplate() });
    expect(error).toBeUndefined();
    await twilio.settled();
    expect(made()[0]?.has('Body')).toBe(false);
    const [sent] = twilio.sent({ accountSid });
    expect(sent).toMatchObject({ contentSid: 'HX1' });
    expect(sent?.body).toMatch(/^News for you: Your order: .*one.*two Write to us\.$/);
  });

  test('nothing goes out when it is closed and there is no template', async () => {
    for (const lastInboundAt of [longAgo, undefined]) {
      const { error } = await send(onWhatsApp({ lastInboundAt }));
      expect(error).toMatchObject({ code: 'gateway_outside_window', retry: 'never' });
    }
    expect(twilio.calls).toEqual([]);
  });

  test('a window that is closed at Twilio alone is told as such', async () => {
    const { error } = await send(onWhatsApp());
    expect(error).toMatchObject({ code: 'gateway_outside_window', platformCode: '63016' });
  });

  test('a long text of our own accord has parts that fit into a template, whenever the window closes', async () => {
    const text = fourThousand;
    const closed = { text, turnId: undefined, lastInboundAt: longAgo };
    await send(onWhatsApp(closed), { channel: withTemplate() });
    const variables = made().map((params) => JSON.parse(params.get('ContentVariables') ?? '{}') as object);
    const texts = variables.map((values) => (values as Record<string, string>)['1'] ?? '');
    for (const one of texts) expect(one.length).toBeLessThanOrEqual(900);
    expect(words(texts.join(' '))).toEqual(words(text));

    await writes();
    twilio.forget();
    const opened = { ...closed, lastInboundAt: new Date(), externalIds: ['SM1'] };
    await send(onWhatsApp(opened), { channel: withTemplate() });
    expect(words(bodiesMade().join(' '))).toEqual(words(texts.slice(1).join(' ')));
  });

  test('files go out one by one, and by a template only their names', async () => {
    await writes();
    const attachments = [anImage(), anImage({ name: 'b.png' })];
    await send(onWhatsApp({ attachments }), { channel: withTemplate() });
    expect(made().map((params) => [params.get('Body'), params.getAll('MediaUrl').length])).toEqual([
      ['It is on its way.', 1],
      [null, 1],
    ]);
    twilio.forget();
    const { externalIds } = await send(onWhatsApp({ attachments, lastInboundAt: longAgo }), {
      channel: withTemplate(),
    });
    expect(externalIds).toHaveLength(2);
    expect(made().map((params) => JSON.parse(params.get('ContentVariables') ?? '{}'))).toEqual([
      { 1: 'It is on its way. chart.png (1 kB)' },
      { 1: 'b.png (1 kB)' },
    ]);
  });
});

describe('files', () => {
  test('go along with the last part, by addresses that hold for an hour', async () => {
    const channel = aChannel();
    const file = anImage();
    await send(aMessage({ text: fourThousand, attachments: [file] }), { channel });
    const media = made().map((params) => params.getAll('MediaUrl'));
    expect(media.slice(0, -1).flat()).toEqual([]);
    expect(media.at(-1)).toEqual([
      expect.stringContaining(`/${channel.tenantId}/${file.fileId}?ttl=3600000`),
    ]);
    await twilio.settled();
    expect(twilio.sent({ accountSid }).at(-1)?.media).toMatchObject([{ contentType: 'image/png' }]);
  });

  test('go out without a text', async () => {
    const { error, kept } = await send(aMessage({ text: '', attachments: [anImage()] }));
    expect(error).toBeUndefined();
    expect(kept).toHaveLength(1);
    expect(made()[0]?.has('Body')).toBe(false);
  });

  test('that are too large or of a kind that is not taken are named', async () => {
    const large = anImage({ name: 'film.mp4', contentType: 'video/mp4', sizeBytes: 6 * 1024 * 1024 });
    const program = anImage({ name: 'setup.exe', contentType: 'application/x-msdownload' });
    await send(aMessage({ attachments: [large, anImage(), program] }));
    expect(bodiesMade()).toEqual(['It is on its way.\nfilm.mp4 (6.0 MB)\nsetup.exe (1 kB)']);
    expect(made()[0]?.getAll('MediaUrl')).toHaveLength(1);
  });
});

describe('when Twilio does not take it', () => {
  const refusal = async (fault: Parameters<TwilioSimulator['fail']>[0]) => {
    twilio.fail(fault);
    return (await send(aMessage())).error;
  };

  test.each([
    [21211, 400, 'recipient_gone'],
    [21614, 400, 'recipient_gone'],
    [30006, 400, 'recipient_gone'],
    [21612, 400, 'message_refused'],
    [21408, 403, 'message_refused'],
    [21617, 400, 'message_refused'],
    [99999, 400, 'message_refused'],
    [20003, 401, 'credentials_refused'],
    [20005, 403, 'credentials_refused'],
    [20404, 404, 'credentials_refused'],
    [63016, 400, 'outside_window'],
  ])('code %i with HTTP %i is final: %s', async (code, status, failure) => {
    expect(await refusal({ kind: 'error', code, status })).toMatchObject({
      code: `gateway_${failure}`,
      retry: 'never',
      platformCode: String(code),
      mayHaveArrived: false,
    });
    expect(made()).toHaveLength(1);
  });

  test.each([
    [21611, 400],
    [30001, 400],
    [20429, 429],
  ])('code %i with HTTP %i may pass', async (code, status) => {
    expect(await refusal({ kind: 'error', code, status })).toMatchObject({
      code: 'gateway_rate_limited',
      retry: 'later',
      mayHaveArrived: false,
    });
  });

  test('it waits for as long as it is asked to, and asks once', async () => {
    expect(await refusal({ kind: 'rate_limit', retryAfterSeconds: 7 })).toMatchObject({
      code: 'gateway_rate_limited',
      retryAfterMs: 7_000,
    });
    expect(made()).toHaveLength(1);
  });

  test.each(['http_500', 'drop', 'answer_lost'] as const)(
    'it may have arrived all the same: %s',
    async (kind) => {
      expect(await refusal({ kind })).toMatchObject({
        code: 'gateway_unavailable',
        retry: 'later',
        mayHaveArrived: true,
      });
      expect(made()).toHaveLength(1);
    },
  );

  test('it may have arrived when the time is up in the middle of the call', async () => {
    twilio.fail({ kind: 'slow', delayMs: 5_000 });
    const startedAt = performance.now();
    const { error } = await send(aMessage(), { signal: AbortSignal.timeout(300) });
    expect(error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test('it has not arrived when nobody was there', async () => {
    const { error } = await send(aMessage(), { apiUrl: nowhere });
    expect(error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: false });
  });

  test('an answer that makes no sense is one that may have arrived', async () => {
    for (const answer of ['', '{}', '<html>', 'null']) {
      const odd = await aServer((_, response) =>
        response.setHeader('content-type', 'application/json').end(answer),
      );
      const { error } = await send(aMessage(), { apiUrl: odd.url });
      expect(error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
      await odd.close();
    }
  });

  test('a redirect is not followed with the token', async () => {
    const elsewhere: string[] = [];
    const thief = await aServer((request, response) => {
      elsewhere.push(String(request.headers.authorization));
      response.end();
    });
    const odd = await aServer((_, response) => response.writeHead(307, { location: thief.url }).end());
    const { error } = await send(aMessage(), { apiUrl: odd.url });
    expect(error).toBeInstanceOf(GatewayError);
    expect(elsewhere).toEqual([]);
    await Promise.all([thief.close(), odd.close()]);
  });

  test('nothing of the account, the number or the text is told', async () => {
    const errors = [
      await refusal({ kind: 'error', code: 21211, status: 400 }),
      await refusal({ kind: 'drop' }),
      (await send(aMessage(), { channel: aChannel({}, { secrets: { authToken: 'token-wrong' } }) })).error,
    ];
    for (const error of errors) {
      const told = JSON.stringify([error, error?.message, error?.stack, error?.cause, { ...error }]);
      for (const secret of [`token-${account}`, 'token-wrong', 'Basic', theirs, 'on its way'])
        expect(told).not.toContain(secret);
    }
  });
});

describe('an attempt after one that was interrupted', () => {
  const lost = (over: Partial<OutboundMessage> = {}) => aMessage({ interrupted: true, attempt: 2, ...over });

  test('finds what had arrived and does not send it again', async () => {
    twilio.fail({ kind: 'answer_lost' });
    const first = aMessage();
    await send(first);
    const { externalIds, kept } = await send({ ...first, interrupted: true });
    await twilio.settled();
    const sent = twilio.sent({ accountSid });
    expect(sent).toHaveLength(1);
    expect(externalIds).toEqual([sent[0]?.sid]);
    expect(kept).toEqual([{ number: 1, externalId: sent[0]?.sid, segments: 1 }]);
  });

  test('sends what had not', async () => {
    twilio.fail({ kind: 'drop' });
    const first = aMessage();
    await send(first);
    expect((await send({ ...first, interrupted: true })).kept).toHaveLength(1);
    await twilio.settled();
    expect(twilio.sent({ accountSid })).toHaveLength(1);
  });

  test('finds several parts in their order', async () => {
    const first = aMessage({ text: fourThousand });
    const all = await send(first);
    const known = all.externalIds?.slice(0, 1) ?? [];
    const again = await send({ ...first, interrupted: true, externalIds: known });
    expect(again.externalIds).toEqual(all.externalIds);
    expect(again.kept.map(({ number, segments }) => [number, segments])).toEqual(
      all.kept.slice(1).map(({ number, segments }) => [number, segments]),
    );
    expect(made()).toHaveLength(all.kept.length);
  });

  test('finds the part that was lost and sends those behind it', async () => {
    const first = aMessage({ text: fourThousand });
    const cut = await send(first, { onPart: () => twilio.fail({ kind: 'answer_lost' }) });
    expect(cut.kept).toHaveLength(1);
    expect(cut.error).toMatchObject({ mayHaveArrived: true });
    const externalIds = cut.kept.map(({ externalId }) => externalId);
    const { error } = await send({ ...first, interrupted: true, externalIds });
    await twilio.settled();
    expect(error).toBeUndefined();
    expect(
      words(
        twilio
          .sent()
          .map(({ body }) => body)
          .join(' '),
      ),
    ).toEqual(words(fourThousand));
  });

  test('does not take another answer in the same words for this one', async () => {
    const before = await send(aMessage());
    const { externalIds } = await send(lost(), {
      isRecordedElsewhere: async (_, sid) => sid === before.externalIds?.[0],
    });
    expect(externalIds).not.toEqual(before.externalIds);
    expect(made()).toHaveLength(2);
  });

  test('takes nothing that is older, to somebody else, from another number, or from the person', async () => {
    twilio.addNumber({ accountSid, number: '+15550002', kind: 'long_code' });
    await send(aMessage({ conversationExternalId: `${ours}/+15550101` }));
    await send(aMessage({ conversationExternalId: `+15550002/${theirs}` }));
    await twilio.text({ from: theirs, to: ours, body: 'It is on its way.' });
    expect((await send(lost())).kept).toHaveLength(1);
    expect(made()).toHaveLength(3);
    const later = lost({ createdAt: new Date(Date.now() + 120_000) });
    await send(later);
    expect(made()).toHaveLength(4);
  });

  test('finds what a messaging service sent from a number of its choice, and what went out in a template', async () => {
    twilio.addMessagingService({ accountSid, sid: `MG${account}`, numbers: [ours, `whatsapp:${ours}`] });
    const channel = aChannel({
      messagingService: `MG${account}`,
      template: { contentSid: 'HX1', textVariable: '1' },
    });
    for (const message of [aMessage(), onWhatsApp({ lastInboundAt: undefined, text: 'Two\nlines' })]) {
      twilio.fail({ kind: 'answer_lost' });
      await send(message, { channel });
      const before = made().length;
      expect((await send({ ...message, interrupted: true }, { channel })).kept).toHaveLength(1);
      expect(made()).toHaveLength(before);
    }
  });

  test('looks before anything puts it off, so that what arrived is never forgotten', async () => {
    twilio.fail({ kind: 'answer_lost' });
    const first = aMessage({ turnId: undefined });
    await send(first);
    const { externalIds } = await send(
      { ...first, interrupted: true },
      { channel: aChannel({ quietHours: { ...daily, answers: true } }), nowMs: () => night },
    );
    expect(externalIds).toHaveLength(1);
  });

  test('that cannot look sends nothing, and is as open as before', async () => {
    twilio.fail({ kind: 'http_500', on: 'list' });
    expect((await send(lost())).error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
    twilio.fail({ kind: 'rate_limit', on: 'list', retryAfterSeconds: 3 });
    expect((await send(lost())).error).toMatchObject({
      code: 'gateway_unavailable',
      mayHaveArrived: true,
      retryAfterMs: 3_000,
    });
    expect(made()).toEqual([]);
  });
});

describe('many accounts in one process', () => {
  test('each is called with its own token', async () => {
    const gateway = aGateway();
    const tenants = Array.from({ length: 50 }, (_, n) => ({
      accountSid: `ACmany${n}`,
      authToken: `of-${n}`,
      number: `+1556${1000 + n}`,
    }));
    for (const tenant of tenants) {
      twilio.addAccount(tenant);
      twilio.addNumber({ ...tenant, kind: 'long_code' });
    }
    await Promise.all(
      tenants.map(({ accountSid: sid, authToken, number }) =>
        gateway.send(
          aChannel({}, { settings: { accountSid: sid, number }, secrets: { authToken } }),
          aMessage({ conversationExternalId: `${number}/${theirs}`, text: sid }),
          { signal: new AbortController().signal, keepPart: async () => {} },
        ),
      ),
    );
    await twilio.settled();
    for (const { accountSid: sid, number } of tenants)
      expect(twilio.sent({ accountSid: sid })).toMatchObject([{ from: number, body: sid }]);
    expect(twilio.violations).toEqual([]);
  });

  test('the shared account’s token goes nowhere but to the operator’s address', async () => {
    const seen: unknown[] = [];
    const thief = await aServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const channel = aChannel({}, { settings: { number: ours, apiUrl: thief.url }, secrets: {} });
    const sharedAccount = { accountSid, authToken: `token-${account}` };
    expect((await send(aMessage(), { channel, sharedAccount })).error).toBeUndefined();
    expect(seen).toEqual([]);
    await thief.close();
  });

  test('a channel without an account to send by is refused with what to do', async () => {
    const channel = aChannel({}, { settings: { number: ours }, secrets: {} });
    expect((await send(aMessage(), { channel })).error).toMatchObject({
      code: 'gateway_credentials_refused',
      message: expect.stringContaining('TWILIO_ACCOUNT_SID'),
    });
  });
});

test('Twilio’s own API is given no address on this machine to tell of a message, which it would refuse', () => {
  const id = newId();
  for (const local of ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])
    expect(statusAddress(aChannel(), 'https://api.twilio.com', local, id, 1)).toBeUndefined();
  expect(statusAddress(aChannel(), 'https://api.twilio.com', 'https://chat.example/base/', id, 3)).toBe(
    `https://chat.example/base/webhooks/twilio/ck_sms/status?delivery=${toWire('delivery', id)}&part=3`,
  );
});
