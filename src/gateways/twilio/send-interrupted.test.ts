import { describe, expect, test } from 'vitest';
import {
  aChannel,
  accountSid,
  aMessage,
  aTwilioLine,
  fourThousand,
  onWhatsApp,
  ours,
  theirs,
  words,
} from '../../../test/support/a-twilio-line.ts';
import type { OutboundMessage } from '../gateway.ts';

const daily = { from: '21:00', to: '08:00', timeZone: 'UTC', answers: false };
const night = Date.parse('2026-05-01T23:00:00Z');
const { twilio, send, made } = aTwilioLine();

describe('an attempt after one that was interrupted', () => {
  const lost = (over: Partial<OutboundMessage> = {}) => aMessage({ interrupted: true, attempt: 2, ...over });

  test('finds what had arrived and does not send it again', async () => {
    twilio().fail({ kind: 'answer_lost' });
    const first = aMessage();
    await send(first);
    const { externalIds, kept } = await send({ ...first, interrupted: true });
    await twilio().settled();
    const sent = twilio().sent({ accountSid });
    expect(sent).toHaveLength(1);
    expect(externalIds).toEqual([sent[0]?.sid]);
    expect(kept).toEqual([{ number: 1, externalId: sent[0]?.sid, segments: 1 }]);
  });

  test('sends what had not', async () => {
    twilio().fail({ kind: 'drop' });
    const first = aMessage();
    await send(first);
    expect((await send({ ...first, interrupted: true })).kept).toHaveLength(1);
    await twilio().settled();
    expect(twilio().sent({ accountSid })).toHaveLength(1);
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
    const cut = await send(first, { onPart: () => twilio().fail({ kind: 'answer_lost' }) });
    expect(cut.kept).toHaveLength(1);
    expect(cut.error).toMatchObject({ mayHaveArrived: true });
    const externalIds = cut.kept.map(({ externalId }) => externalId);
    const { error } = await send({ ...first, interrupted: true, externalIds });
    await twilio().settled();
    expect(error).toBeUndefined();
    expect(
      words(
        twilio()
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
    twilio().addNumber({ accountSid, number: '+15550002', kind: 'long_code' });
    await send(aMessage({ conversationExternalId: `${ours}/+15550101` }));
    await send(aMessage({ conversationExternalId: `+15550002/${theirs}` }));
    await twilio().text({ from: theirs, to: ours, body: 'It is on its way.' });
    expect((await send(lost())).kept).toHaveLength(1);
    expect(made()).toHaveLength(3);
    const later = lost({ createdAt: new Date(Date.now() + 120_000) });
    await send(later);
    expect(made()).toHaveLength(4);
  });

  test('finds what a messaging service sent from a number of its choice, and what went out in a template', async () => {
    twilio().addMessagingService({ accountSid, sid: 'MG1', numbers: [ours, `whatsapp:${ours}`] });
    const channel = aChannel({
      messagingService: 'MG1',
      template: { contentSid: 'HX1', textVariable: '1' },
    });
    for (const message of [aMessage(), onWhatsApp({ lastInboundAt: undefined, text: 'Two\nlines' })]) {
      twilio().fail({ kind: 'answer_lost' });
      await send(message, { channel });
      const before = made().length;
      expect((await send({ ...message, interrupted: true }, { channel })).kept).toHaveLength(1);
      expect(made()).toHaveLength(before);
    }
  });

  test('looks before anything puts it off, so that what arrived is never forgotten', async () => {
    twilio().fail({ kind: 'answer_lost' });
    const first = aMessage({ turnId: undefined });
    await send(first);
    const { externalIds } = await send(
      { ...first, interrupted: true },
      { channel: aChannel({ quietHours: { ...daily, answers: true } }), nowMs: () => night },
    );
    expect(externalIds).toHaveLength(1);
  });

  test('that cannot look sends nothing, and is as open as before', async () => {
    twilio().fail({ kind: 'http_500', on: 'list' });
    expect((await send(lost())).error).toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: true });
    twilio().fail({ kind: 'rate_limit', on: 'list', retryAfterSeconds: 3 });
    expect((await send(lost())).error).toMatchObject({
      code: 'gateway_unavailable',
      mayHaveArrived: true,
      retryAfterMs: 3_000,
    });
    expect(made()).toEqual([]);
  });
});
