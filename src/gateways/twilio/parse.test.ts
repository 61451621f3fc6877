import { describe, expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { newId, toWire } from '#domain/ids.ts';
import type { InboundEvent, OpenChannel, RawRequest, Verified } from '../gateway.ts';
import { identifyAccounts } from './identify.ts';
import { parseWebhook } from './parse.ts';

const texts = { stop: 'You will hear no more.', start: 'Welcome back.', help: 'Write STOP to end this.' };

type Form = Readonly<Record<string, string>>;

const sms: Form = {
  ToCountry: 'US',
  SmsMessageSid: 'SM1',
  NumMedia: '0',
  FromCountry: 'US',
  SmsStatus: 'received',
  Body: 'Where is my order?',
  To: '+15550001',
  NumSegments: '1',
  MessageSid: 'SM1',
  AccountSid: 'AC1',
  From: '+15550100',
  ApiVersion: '2010-04-01',
};
const whatsApp: Form = {
  ...sms,
  To: 'whatsapp:+15550001',
  From: 'whatsapp:+15550100',
  WaId: '15550100',
  ProfileName: 'Ann',
};
const status: Form = {
  MessageSid: 'SM2',
  MessageStatus: 'delivered',
  From: '+15550001',
  To: '+15550100',
  AccountSid: 'AC1',
};

function aRequest(form: Form, endpoint = 'messages', url = 'https://chat.example/x'): Verified<RawRequest> {
  return {
    method: 'POST',
    urls: [url],
    endpoint,
    headers: {},
    body: Buffer.from(new URLSearchParams(form).toString()),
  } as unknown as Verified<RawRequest>;
}

function aChannel(settings: object = {}, over: Partial<OpenChannel> = {}): OpenChannel {
  return {
    tenantId: newId() as Uuid,
    id: newId() as Uuid,
    platform: 'twilio',
    key: 'ck_sms',
    settings: { number: '+15550001', ...settings },
    secrets: {},
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

function parse(form: Form, channel = aChannel(), endpoint?: string, url?: string): InboundEvent {
  const { events, reply } = parseWebhook(aRequest(form, endpoint, url), channel, texts);
  expect(reply).toEqual({
    status: 200,
    contentType: 'text/xml',
    body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
  });
  expect(events).toHaveLength(1);
  return events[0] as InboundEvent;
}

describe('whose channel it is', () => {
  test('the messaging service goes before the number', () => {
    expect(identifyAccounts(aRequest({ ...sms, MessagingServiceSid: 'MG1' }))).toEqual({
      kind: 'accounts',
      accounts: [
        { kind: 'messaging_service', key: 'MG1' },
        { kind: 'number', key: '+15550001' },
      ],
    });
  });

  test('a number of WhatsApp is another than the same number of texts', () => {
    expect(identifyAccounts(aRequest(whatsApp))).toEqual({
      kind: 'accounts',
      accounts: [{ kind: 'number', key: 'whatsapp:+15550001' }],
    });
  });

  test('a status is for the number that had written', () => {
    expect(identifyAccounts(aRequest({ ...status, MessagingServiceSid: 'MG1' }, 'status'))).toEqual({
      kind: 'accounts',
      accounts: [
        { kind: 'messaging_service', key: 'MG1' },
        { kind: 'number', key: '+15550001' },
      ],
    });
  });

  test('what names nobody is answered and leads nowhere', () => {
    for (const endpoint of ['messages', 'status'])
      expect(identifyAccounts(aRequest({ AccountSid: 'AC1' }, endpoint))).toMatchObject({
        kind: 'reply',
        reply: { status: 200 },
      });
  });
});

describe('a message', () => {
  test('by SMS', () => {
    expect(parse(sms)).toEqual({
      kind: 'message',
      key: 'message/SM1',
      conversationExternalId: '+15550001/+15550100',
      participant: { externalId: '+15550100', verified: true, profile: { country: 'US' } },
      text: 'Where is my order?',
      content: {
        twilio: {
          messageSid: 'SM1',
          accountSid: 'AC1',
          from: '+15550100',
          to: '+15550001',
          numSegments: '1',
          numMedia: '0',
        },
      },
    });
  });

  test('by WhatsApp tells who it is from', () => {
    expect(parse(whatsApp)).toMatchObject({
      kind: 'message',
      conversationExternalId: 'whatsapp:+15550001/whatsapp:+15550100',
      participant: { externalId: 'whatsapp:+15550100', profile: { name: 'Ann', country: 'US' } },
    });
  });

  test('with files brings where they are, named by what they are', () => {
    const event = parse({
      ...sms,
      Body: '',
      NumMedia: '4',
      MediaUrl0: 'https://api.twilio.com/ME0',
      MediaContentType0: 'image/jpeg',
      MediaUrl1: 'https://api.twilio.com/ME1',
      MediaContentType1: 'application/pdf',
      MediaUrl2: 'https://api.twilio.com/ME2',
      MediaUrl3: 'https://api.twilio.com/ME3',
      MediaContentType3: 'audio/../../x; codecs=opus',
    });
    expect(event).toMatchObject({
      text: '',
      attachments: [
        { name: 'image-1.jpg', contentType: 'image/jpeg', source: { url: 'https://api.twilio.com/ME0' } },
        { name: 'file-2.pdf', contentType: 'application/pdf', source: { url: 'https://api.twilio.com/ME1' } },
        { name: 'file-3', contentType: 'application/octet-stream' },
        { name: 'audio-4', source: { url: 'https://api.twilio.com/ME3' } },
      ],
    });
  });

  test('with a file of a kind that every object has names it like any other', () => {
    const form = { ...sms, NumMedia: '1', MediaUrl0: 'https://api.twilio.com/ME0' };
    expect(parse({ ...form, MediaContentType0: 'image/constructor' })).toMatchObject({
      attachments: [{ name: 'image-1' }],
    });
  });

  test('that is a button is an action, in the words of the button', () => {
    const form = { ...whatsApp, Body: 'Confirm', ButtonText: 'Confirm', ButtonPayload: 'confirm-7' };
    expect(parse(form)).toMatchObject({
      kind: 'action',
      text: 'Confirm',
      content: { twilio: { buttonPayload: 'confirm-7' } },
    });
    expect(parse({ ...whatsApp, Body: '', ListId: 'l1', ListTitle: 'Tomorrow' })).toMatchObject({
      kind: 'action',
      text: 'Tomorrow',
    });
  });

  test('that is a place says where', () => {
    const place = { ...whatsApp, Body: '', Latitude: '48.85', Longitude: '2.29' };
    expect(parse(place)).toMatchObject({ text: '48.85, 2.29' });
    expect(parse({ ...place, Label: 'Tower', Address: 'Paris' })).toMatchObject({
      text: 'Tower, Paris (48.85, 2.29)',
    });
    expect(parse({ ...place, Body: 'Meet me' })).toMatchObject({ text: 'Meet me\n48.85, 2.29' });
  });

  test('has parameters that nobody knows yet', () => {
    expect(parse({ ...sms, Novelty: '{"a":1}' })).toEqual(parse(sms));
  });

  test('brings no NUL into a text', () => {
    expect(parse({ ...sms, Body: 'a\0b', ProfileName: '\0' })).toMatchObject({
      text: 'ab',
      participant: { profile: { country: 'US' } },
    });
  });

  test.each<[string, Form]>([
    ['without an id', { ...sms, MessageSid: '' }],
    ['with an id that is none', { ...sms, MessageSid: 'SM1/../x' }],
    ['from nobody', { ...sms, From: '' }],
    ['to nobody', { ...sms, To: '' }],
    ['to an address with a slash in it', { ...sms, To: '+15550001/+15550100' }],
    ['from an address without end', { ...sms, From: `+${'1'.repeat(300)}` }],
    ['that says nothing', { ...sms, Body: '' }],
    ['of another account than the channel’s', { ...sms, AccountSid: 'AC2' }],
  ])('%s is not taken', (_, form) => {
    expect(parse(form, aChannel({ accountSid: 'AC1' }))).toEqual({
      kind: 'unsupported',
      reason: expect.any(String),
    });
  });
});

describe('STOP and START', () => {
  const optOut = (form: Form, settings?: object, over?: Partial<OpenChannel>) =>
    parse(form, aChannel(settings, over)) as InboundEvent & { systemReply?: unknown };

  test('by SMS are kept, and Twilio answers them', () => {
    expect(optOut({ ...sms, Body: ' Stop. ' })).toMatchObject({
      kind: 'message',
      needsAnswer: false,
      consent: { sender: '+15550001', recipient: '+15550100', state: 'opted_out', source: 'Stop.' },
    });
    expect(optOut({ ...sms, Body: 'START' })).toMatchObject({
      needsAnswer: false,
      consent: { state: 'opted_in', source: 'START' },
    });
    for (const Body of ['STOP', 'START', 'HELP'])
      expect(optOut({ ...sms, Body }).systemReply).toBeUndefined();
  });

  test('by WhatsApp are answered here, and the answer may go to who has just opted out', () => {
    const content = { consentNotice: true };
    expect(optOut({ ...whatsApp, Body: 'STOP' })).toMatchObject({
      consent: { sender: 'whatsapp:+15550001', recipient: 'whatsapp:+15550100', state: 'opted_out' },
      systemReply: { text: texts.stop, content },
    });
    expect(optOut({ ...whatsApp, Body: 'START' })).toMatchObject({
      systemReply: { text: texts.start, content },
    });
    expect(optOut({ ...whatsApp, Body: 'HELP' })).toMatchObject({
      needsAnswer: false,
      systemReply: { text: texts.help, content },
    });
  });

  test('are counted against the whole messaging service', () => {
    expect(optOut({ ...sms, Body: 'STOP' }, { messagingService: 'MG1' })).toMatchObject({
      consent: { sender: 'MG1', recipient: '+15550100' },
    });
  });

  test('that Twilio has seen in a message are not answered a second time, whatever the words', () => {
    const seen = optOut(
      { ...sms, Body: 'Please take me off this list, I never asked for it.', OptOutType: 'STOP' },
      { optOut: { answeredBy: 'channel', stopText: 'Bye' } },
    );
    expect(seen).toMatchObject({ needsAnswer: false, consent: { state: 'opted_out', source: 'stop' } });
    expect(seen.systemReply).toBeUndefined();
    expect(optOut({ ...sms, Body: 'yes', OptOutType: 'START' })).toMatchObject({
      consent: { state: 'opted_in', source: 'yes' },
    });
    expect(
      optOut({ ...sms, Body: 'HELP', OptOutType: 'HELP' }, { optOut: { helpText: 'Own' } }),
    ).toMatchObject({
      needsAnswer: false,
    });
  });

  test('are read with the words and answered with the texts of the channel, its tenant, its organization', () => {
    const over = {
      tenantSettings: { twilio: { optOut: { stopWords: ['basta'], stopText: 'Tenant' } } },
      organizationSettings: { twilio: { optOut: { stopText: 'Organization', helpText: 'Help of all' } } },
    };
    expect(optOut({ ...whatsApp, Body: 'Basta!' }, {}, over)).toMatchObject({
      systemReply: { text: 'Tenant' },
    });
    const own = { optOut: { stopText: 'Channel', stopWords: ['genug'] } };
    expect(optOut({ ...whatsApp, Body: 'genug' }, own, over)).toMatchObject({
      systemReply: { text: 'Channel' },
    });
    expect(optOut({ ...whatsApp, Body: 'basta' }, own, over)).not.toHaveProperty('consent');
    expect(optOut({ ...whatsApp, Body: 'help' }, own, over)).toMatchObject({
      systemReply: { text: 'Help of all' },
    });
  });

  test('HELP by SMS is answered when there is a text of one’s own', () => {
    const help = optOut({ ...sms, Body: 'HELP' }, { optOut: { helpText: 'ACME, +1 555 0199' } });
    expect(help).toMatchObject({ needsAnswer: false, systemReply: { text: 'ACME, +1 555 0199' } });
    expect(help).not.toHaveProperty('consent');
  });

  test('are an ordinary message within a sentence', () => {
    for (const Body of ['Stop the music', 'yes', 'help me please'])
      for (const property of ['needsAnswer', 'consent', 'systemReply'])
        expect(optOut({ ...whatsApp, Body })).not.toHaveProperty(property);
  });

  test('on a button are as good as in words', () => {
    expect(optOut({ ...whatsApp, Body: 'Stop', ButtonText: 'Stop', ButtonPayload: 'x' })).toMatchObject({
      kind: 'action',
      consent: { state: 'opted_out' },
    });
  });
});

describe('a status', () => {
  const id = newId();
  const url = `https://chat.example/webhooks/twilio/status?delivery=${toWire('delivery', id)}&part=2`;
  const tell = (form: Form, address = url) => parse({ ...status, ...form }, aChannel(), 'status', address);

  test.each([
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['failed', 'failed'],
    ['undelivered', 'failed'],
    ['canceled', 'failed'],
  ])('%s', (MessageStatus, state) => {
    expect(tell({ MessageStatus })).toEqual({
      kind: 'status',
      externalId: 'SM2',
      state,
      delivery: { id, part: 2 },
    });
  });

  test.each(['accepted', 'scheduled', 'queued', 'sending', 'partially_delivered', 'received', 'x', ''])(
    '%j tells nothing',
    (MessageStatus) => expect(tell({ MessageStatus })).toMatchObject({ kind: 'unsupported' }),
  );

  test('says why, and how many segments it was', () => {
    expect(tell({ MessageStatus: 'undelivered', ErrorCode: '30003', NumSegments: '3' })).toMatchObject({
      state: 'failed',
      errorCode: '30003',
      segments: 3,
    });
    const fine = tell({ ErrorCode: '0', NumSegments: '0' });
    expect(fine).not.toHaveProperty('errorCode');
    expect(fine).not.toHaveProperty('segments');
  });

  test.each([
    'https://chat.example/webhooks/twilio/status',
    `https://chat.example/webhooks/twilio/status?delivery=${toWire('message', id)}&part=1`,
    `https://chat.example/webhooks/twilio/status?delivery=${toWire('delivery', id)}&part=0`,
    `https://chat.example/webhooks/twilio/status?delivery=${toWire('delivery', id)}&part=1.5`,
    `https://chat.example/webhooks/twilio/status?delivery=${toWire('delivery', id)}`,
    'not an address',
  ])('without a delivery of ours in its address is found by its id: %s', (address) => {
    const event = tell({}, address);
    expect(event).toMatchObject({ kind: 'status', externalId: 'SM2' });
    expect(event).not.toHaveProperty('delivery');
  });
});
