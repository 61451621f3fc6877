import { expect, test } from 'vitest';
import { say, scriptedAgent } from '../fakes/scripted-agent.ts';
import {
  aTwilioService,
  messagesUrl,
  ourNumber,
  sharedAccount,
  type TwilioService,
} from '../support/a-twilio-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { planPlatformTenant, twilioChannelOf } from '../support/platform-tenants.ts';

const ann = '+15550009';

const bodiesTo = (service: TwilioService, to: string) => service.twilio.sent({ to }).map(({ body }) => body);

/** Waits until the deliveries of the tenant `shop` have come to these states. */
const settled = (service: TwilioService, ...states: string[]) =>
  eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries.map(({ state }) => state)).toEqual(states);
    return deliveries;
  });

test('a text message is answered by an empty TwiML at once and by a message afterwards', async () => {
  const service = await aTwilioService();
  const [delivery] = await service.twilio.text({ from: ann, to: ourNumber, body: 'Hello?' });
  expect(delivery).toMatchObject({ status: 200 });
  await eventually(() => expect(bodiesTo(service, ann)).toEqual(['Hello?']));
  await settled(service, 'delivered');
  expect(service.twilio.violations).toEqual([]);
});

test.each([
  ['PUBLIC_URL', { PUBLIC_URL: 'https://chat.example.com:8443' }],
  ['a trusted proxy', { TRUSTED_PROXIES: 'loopback' }],
])('the address that was signed is the one that Twilio called, known from %s', async (_from, env) => {
  const service = await aTwilioService({
    env,
    plans: (twilio, running) => {
      const { accountSid } = sharedAccount;
      twilio.route('https://chat.example.com:8443', running.url);
      const smsUrl =
        'https://chat.example.com:8443/webhooks/twilio/messages?from=console&q=a%20b#rc=2&rp=all';
      twilio.addNumber({ accountSid, number: ourNumber, kind: 'long_code', smsUrl });
      return [planPlatformTenant({ channels: [twilioChannelOf({ number: ourNumber })] })];
    },
  });
  const deliveries = await service.twilio.text({ from: ann, to: ourNumber, body: 'Behind a proxy' });
  expect(deliveries).toMatchObject([{ status: 200 }]);
  await eventually(() => expect(bodiesTo(service, ann)).toEqual(['Behind a proxy']));
});

test('the same message told five times is answered once', async () => {
  const service = await aTwilioService();
  await service.twilio.text({ from: ann, to: ourNumber, body: 'Again', repeat: 5, atOnce: true });
  await settled(service, 'delivered');
  expect(bodiesTo(service, ann)).toEqual(['Again']);
});

test('twenty quick messages are answered in order', async () => {
  const service = await aTwilioService();
  const texts = Array.from({ length: 20 }, (_, index) => `Text ${index + 1}`);
  for (const body of texts) await service.twilio.text({ from: ann, to: ourNumber, body });
  await eventually(() => expect(bodiesTo(service, ann)).toEqual(texts), 60_000);
});

test('a long answer goes out in parts of 1,600 characters, with the segments that each is billed as', async () => {
  const long = Array.from({ length: 300 }, (_, index) => `Sentence number ${index + 1}.`).join(' ');
  const { agent } = scriptedAgent(() => say(long));
  const service = await aTwilioService({ overrides: { wrapAgents: () => agent } });
  await service.twilio.text({ from: ann, to: ourNumber, body: 'Tell me' });
  await settled(service, 'delivered');
  const bodies = bodiesTo(service, ann);
  expect(bodies.length).toBeGreaterThan(3);
  expect(bodies.every((body) => body.length <= 1_600)).toBe(true);
  expect(bodies.join(' ')).toBe(long);
  const parts = await inTenantOf(service, 'shop', (unit) =>
    unit.sql<{ segments: number; state: string }>(
      'SELECT segments, state FROM swarmgate.delivery_parts ORDER BY number',
    ),
  );
  // Plain GSM-7 text: 160 characters alone, else 153 a segment.
  expect(parts.map(({ segments }) => segments)).toEqual(
    bodies.map(({ length }) => (length <= 160 ? 1 : Math.ceil(length / 153))),
  );
  expect(parts.map(({ state }) => state)).toEqual(bodies.map(() => 'delivered'));
});

test('a message that cannot be delivered fails with Twilio’s code', async () => {
  const service = await aTwilioService();
  service.twilio.planStatuses({ steps: ['sent', { status: 'undelivered', errorCode: 30_003 }] });
  await service.twilio.text({ from: ann, to: ourNumber, body: 'Hello?' });
  const [delivery] = await settled(service, 'failed');
  expect(delivery?.error_code).toBe('30003');
});

test('an answer that Twilio took without saying so is found again and not sent twice', async () => {
  const service = await aTwilioService();
  service.twilio.fail({ kind: 'answer_lost' });
  await service.twilio.text({ from: ann, to: ourNumber, body: 'Once' });
  await settled(service, 'delivered');
  expect(bodiesTo(service, ann)).toEqual(['Once']);
});

test('a storm of 429 still ends with the answer', async () => {
  const service = await aTwilioService();
  service.twilio.fail({ kind: 'rate_limit', times: 3, retryAfterSeconds: 1 });
  await service.twilio.text({ from: ann, to: ourNumber, body: 'Patience' });
  await eventually(() => expect(bodiesTo(service, ann)).toEqual(['Patience']), 30_000);
});

test('numbers and messaging services of several tenants each answer in their own name', async () => {
  const own = { accountSid: `AC${'2'.repeat(32)}`, authToken: 'own-token' };
  const service = await aTwilioService({
    plans: (twilio, running) => {
      const { accountSid } = sharedAccount;
      for (const number of ['+15550001', '+15550002'])
        twilio.addNumber({ accountSid, number, kind: 'long_code', smsUrl: messagesUrl(running) });
      twilio.addMessagingService({
        accountSid,
        sid: 'MG1',
        numbers: ['+15550002'],
        inboundUrl: messagesUrl(running),
      });
      twilio.addAccount(own);
      twilio.addNumber({
        accountSid: own.accountSid,
        number: '+15550003',
        kind: 'long_code',
        smsUrl: messagesUrl(running, 'ck_own'),
      });
      return [
        planPlatformTenant({ slug: 'number', channels: [twilioChannelOf({ number: '+15550001' })] }),
        planPlatformTenant({ slug: 'service', channels: [twilioChannelOf({ messagingService: 'MG1' })] }),
        planPlatformTenant({
          slug: 'own',
          channels: [twilioChannelOf({ ...own, number: '+15550003', key: 'ck_own' })],
        }),
      ];
    },
  });
  for (const [index, to] of ['+15550001', '+15550002', '+15550003'].entries())
    await service.twilio.text({ from: ann, to, body: `to ${index + 1}` });
  await eventually(() => expect(bodiesTo(service, ann).sort()).toEqual(['to 1', 'to 2', 'to 3']));
  for (const [tenant, body] of [
    ['number', 'to 1'],
    ['service', 'to 2'],
    ['own', 'to 3'],
  ] as const)
    expect((await service.rows(tenant)).messages.map(({ text }) => text)).toEqual([body, body]);
  expect(service.twilio.violations).toEqual([]);
});
