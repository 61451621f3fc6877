import { describe, expect, test } from 'vitest';
import { newId, toWire } from '#domain/ids.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { aServer } from '../../../test/support/a-server.ts';
import {
  aChannel,
  accountSid,
  aMessage,
  anImage,
  aTwilioLine,
  authToken,
  fourThousand,
  nowhere,
  onWhatsApp,
  ours,
  theirs,
  words,
} from '../../../test/support/a-twilio-line.ts';
import type { TwilioSimulator } from '../../simulators/twilio/simulator.ts';
import { GatewayError } from '../gateway-error.ts';
import { createPacer } from '../pacer.ts';
import { statusAddress } from './status-address.ts';

const { twilio, send, made, bodiesMade, aGateway } = aTwilioLine();

describe('a message', () => {
  test('goes out from the number that was written to, and is recorded under Twilio’s id', async () => {
    const message = aMessage();
    const { externalIds, kept } = await send(message);
    await twilio().settled();
    const [sent] = twilio().sent({ accountSid });
    expect(sent).toMatchObject({ from: ours, to: theirs, body: 'It is on its way.' });
    expect(externalIds).toEqual([sent?.sid]);
    expect(kept).toEqual([{ number: 1, externalId: sent?.sid, segments: 1 }]);
    expect(Object.fromEntries(made()[0] ?? [])).toEqual({
      To: theirs,
      From: ours,
      Body: 'It is on its way.',
      StatusCallback: `${nowhere}/webhooks/twilio/ck_sms/status?delivery=${toWire('delivery', message.deliveryId)}&part=1`,
    });
    expect(twilio().violations).toEqual([]);
  });

  test('of the shared account is sent with its token, and told of without a channel’s key', async () => {
    const sharedAccount = { accountSid, authToken };
    const channel = aChannel({}, { settings: { number: ours }, secrets: {} });
    const { error } = await send(aMessage(), { channel, sharedAccount });
    expect(error).toBeUndefined();
    expect(made()[0]?.get('StatusCallback')).toContain(`${nowhere}/webhooks/twilio/status?`);
  });

  test('of a messaging service leaves the number to it', async () => {
    twilio().addMessagingService({ accountSid, sid: 'MG1', numbers: [ours] });
    const { kept } = await send(aMessage({ text: 'я'.repeat(100) }), {
      channel: aChannel({ messagingService: 'MG1' }),
    });
    await twilio().settled();
    expect(made()[0]?.get('MessagingServiceSid')).toBe('MG1');
    expect(made()[0]?.has('From')).toBe(false);
    expect(twilio().sent({ accountSid })).toHaveLength(1);
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
    twilio().forget();
    const { externalIds } = await send(aMessage({ text: fourThousand, externalIds: ['SM1', 'SM2'] }));
    expect(bodiesMade()).toEqual(all.slice(2));
    expect(externalIds?.slice(0, 2)).toEqual(['SM1', 'SM2']);
    expect(externalIds).toHaveLength(all.length);
  });

  test('that is out is not sent again', async () => {
    expect(await send(aMessage({ externalIds: ['SM1'] }))).toMatchObject({ externalIds: ['SM1'], kept: [] });
    expect(twilio().calls).toEqual([]);
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
      createPaceInProcess(() => nowMs),
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
    const pacer = createPacer(createPaceInProcess(() => 0));
    expect((await send(aMessage({ text: 'a'.repeat(1_600) }), { pacer })).error).toBeUndefined();
    const whatsApp = await send(onWhatsApp(), { pacer });
    expect(whatsApp.error).not.toMatchObject({ code: 'gateway_not_now' });
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
    await twilio().settled();
    expect(twilio().sent({ accountSid }).at(-1)?.media).toMatchObject([{ contentType: 'image/png' }]);
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
    twilio().fail(fault);
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
    twilio().fail({ kind: 'slow', delayMs: 5_000 });
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
      for (const secret of [authToken, 'token-wrong', 'Basic', theirs, 'on its way'])
        expect(told).not.toContain(secret);
    }
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
      twilio().addAccount(tenant);
      twilio().addNumber({ ...tenant, kind: 'long_code' });
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
    await twilio().settled();
    for (const { accountSid: sid, number } of tenants)
      expect(twilio().sent({ accountSid: sid })).toMatchObject([{ from: number, body: sid }]);
    expect(twilio().violations).toEqual([]);
  });

  test('the shared account’s token goes nowhere but to the operator’s address', async () => {
    const seen: unknown[] = [];
    const thief = await aServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const channel = aChannel({}, { settings: { number: ours, apiUrl: thief.url }, secrets: {} });
    const sharedAccount = { accountSid, authToken };
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
