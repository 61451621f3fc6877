import { describe, expect, test } from 'vitest';
import {
  aChannel,
  accountSid,
  aMessage,
  anImage,
  aTwilioLine,
  fourThousand,
  onWhatsApp,
  ours,
  theirs,
  words,
} from '../../../test/support/a-twilio-line.ts';

const daily = { from: '21:00', to: '08:00', timeZone: 'UTC', answers: false };
const noon = Date.parse('2026-05-01T12:00:00Z');
const night = Date.parse('2026-05-01T23:00:00Z');
const { twilio, consents, send, made, bodiesMade } = aTwilioLine();

describe('somebody who has opted out', () => {
  const stopped = { sender: ours, recipient: theirs, state: 'opted_out', source: 'STOP' } as const;

  test('is sent nothing', async () => {
    consents().changes.push(stopped);
    const { error } = await send(aMessage());
    expect(error).toMatchObject({ code: 'gateway_recipient_opted_out', retry: 'never' });
    expect(twilio().calls).toEqual([]);
  });

  test('is sent the confirmation of it', async () => {
    consents().changes.push(stopped);
    const { error } = await send(aMessage({ content: { consentNotice: true }, turnId: undefined }), {
      channel: aChannel({ quietHours: daily }),
      nowMs: () => night,
    });
    expect(error).toBeUndefined();
  });

  test('hears from other senders as before', async () => {
    consents().changes.push({ ...stopped, sender: 'MG9' }, { ...stopped, recipient: '+15550101' });
    expect((await send(aMessage())).error).toBeUndefined();
  });

  test('between two parts does not get the second', async () => {
    const { error, kept } = await send(aMessage({ text: fourThousand }), {
      onPart: () => consents().changes.push(stopped),
    });
    expect(error).toMatchObject({ code: 'gateway_recipient_opted_out' });
    expect(kept).toHaveLength(1);
    expect(made()).toHaveLength(1);
  });

  test('while the message waits for its turn does not get it', async () => {
    const pacer = {
      async take() {
        consents().changes.push(stopped);
      },
    };
    expect((await send(aMessage(), { pacer })).error).toMatchObject({ code: 'gateway_recipient_opted_out' });
    expect(made()).toEqual([]);
  });

  test('at Twilio, which we did not know, is kept in the ledger for this sender alone', async () => {
    await twilio().text({ from: theirs, to: ours, body: 'STOP' });
    const { error } = await send(aMessage());
    expect(error).toMatchObject({
      code: 'gateway_recipient_opted_out',
      retry: 'never',
      platformCode: '21610',
    });
    expect(consents().changes).toEqual([
      { sender: ours, recipient: theirs, state: 'opted_out', source: '21610' },
    ]);
    twilio().forget();
    await send(aMessage());
    expect(twilio().calls).toEqual([]);
  });

  test('of a messaging service is kept for the service', async () => {
    twilio().addMessagingService({ accountSid, sid: 'MG1', numbers: [ours] });
    await twilio().text({ from: theirs, to: ours, body: 'STOP' });
    await send(aMessage(), { channel: aChannel({ messagingService: 'MG1' }) });
    expect(consents().changes).toMatchObject([{ sender: 'MG1', source: '21610' }]);
  });
});

describe('in quiet hours', () => {
  const channel = () => aChannel({ quietHours: daily });

  test('what is said of our own accord waits until they end', async () => {
    const { error } = await send(aMessage({ turnId: undefined }), { channel: channel(), nowMs: () => night });
    expect(error).toMatchObject({ code: 'gateway_not_now', retry: 'later', retryAfterMs: 9 * 3_600_000 });
    expect(twilio().calls).toEqual([]);
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
  const writes = () => twilio().text({ from: `whatsapp:${theirs}`, to: `whatsapp:${ours}`, body: 'Hi' });
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
    await twilio().settled();
    expect(made()[0]?.has('Body')).toBe(false);
    const [sent] = twilio().sent({ accountSid });
    expect(sent).toMatchObject({ contentSid: 'HX1' });
    expect(sent?.body).toMatch(/^News for you: Your order: .*one.*two Write to us\.$/);
  });

  test('nothing goes out when it is closed and there is no template', async () => {
    for (const lastInboundAt of [longAgo, undefined]) {
      const { error } = await send(onWhatsApp({ lastInboundAt }));
      expect(error).toMatchObject({ code: 'gateway_outside_window', retry: 'never' });
    }
    expect(twilio().calls).toEqual([]);
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
    twilio().forget();
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
    twilio().forget();
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
