import { createHmac } from 'node:crypto';
import { isValidSlackRequest } from '@slack/bolt';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawRequest } from '../../gateway.ts';
import { WebhookRejectedError } from '../../gateway-error.ts';
import { verifySlack } from './verify.ts';

const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';
const timestamp = 1_531_420_618;
// The request that https://docs.slack.dev/authentication/verifying-requests-from-slack/ explains.
const documented = {
  body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
};

test('the request that Slack documents is accepted, and is the same request', () => {
  const request = aRequest(documented.body, headersOf(documented.signature));
  expect(verifySlack(request, { signingSecret }, timestamp * 1_000)).toBe(request);
});

test('Bolt accepts and refuses the same requests', () => {
  const outcomes = new Set<boolean>();
  const change = fc.constantFrom(
    'nothing',
    'body',
    'longer body',
    'signature',
    'secret',
    'stale',
    'time stamp',
  );
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ minLength: 1 }),
      change,
      (body, secret, changed) => {
        const sentAt = changed === 'stale' ? timestamp - 301 : timestamp;
        const signature = sign(secret, changed === 'time stamp' ? sentAt - 1 : sentAt, body);
        const received = {
          body: changed === 'body' ? `x${body.slice(1)}` : changed === 'longer body' ? `${body} ` : body,
          signature:
            changed === 'signature'
              ? signature.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
              : signature,
          secret: changed === 'secret' ? `${secret}x` : secret,
        };

        const ours = isAccepted(
          aRequest(received.body, headersOf(received.signature, `${sentAt}`)),
          received.secret,
        );
        const bolts = isValidSlackRequest({
          signingSecret: received.secret,
          body: received.body,
          headers: { 'x-slack-signature': received.signature, 'x-slack-request-timestamp': sentAt },
          nowMilliseconds: timestamp * 1_000,
        });
        expect(ours).toBe(bolts);
        outcomes.add(ours);
      },
    ),
  );
  expect(outcomes).toEqual(new Set([true, false]));
});

test('the bytes are signed, not what they read as', () => {
  const body = Buffer.from([0x7b, 0xff, 0x7d]);
  expect(isAccepted(aRequest(body, headersOf(sign(signingSecret, timestamp, body))))).toBe(true);
  expect(isAccepted(aRequest(body, headersOf(sign(signingSecret, timestamp, body.toString()))))).toBe(false);
});

describe('a request is refused', () => {
  test.each([
    ['five minutes and a second old', 301],
    ['five minutes and a second ahead of our clock', -301],
  ])('when it is %s', (_, seconds) => {
    expect(
      isAccepted(aRequest(documented.body, headersOf(documented.signature)), signingSecret, seconds),
    ).toBe(false);
  });

  test.each([300, -300])('and not yet when its age is %i seconds', (seconds) => {
    expect(
      isAccepted(aRequest(documented.body, headersOf(documented.signature)), signingSecret, seconds),
    ).toBe(true);
  });

  const { signature } = documented;
  test.each([
    ['without a signature', { 'x-slack-request-timestamp': `${timestamp}` }],
    ['without a time stamp', { 'x-slack-signature': signature }],
    ['with two signatures, joined', headersOf(`${signature}, ${signature}`)],
    [
      'with two signatures, as a list',
      { ...headersOf(signature), 'x-slack-signature': [signature, signature] },
    ],
    ['with a signature in a list', { ...headersOf(signature), 'x-slack-signature': [signature] }],
    ['with two time stamps', headersOf(signature, `${timestamp}, ${timestamp}`)],
    ['with an empty signature', headersOf('')],
    ['with half a signature', headersOf(signature.slice(0, 35))],
    ['with a longer signature', headersOf(`${signature}00`)],
    ['with another version', headersOf(signature.replace('v0', 'v1'))],
    ['with a signature that is not hexadecimal', headersOf(`v0=${'z'.repeat(64)}`)],
    ['with a line break behind the signature', headersOf(`${signature}\n`)],
    ['with a time stamp in words', headersOf(signature, 'now')],
    ['with an infinite time stamp', headersOf(signature, 'Infinity')],
    ['with a time stamp with decimals', headersOf(signature, `${timestamp}.0`)],
    ['with a time stamp in hexadecimal', headersOf(signature, `0x${timestamp.toString(16)}`)],
    ['with a negative time stamp', headersOf(signature, `-${timestamp}`)],
    ['with spaces around the time stamp', headersOf(signature, ` ${timestamp}`)],
  ])('%s', (_, headers) => {
    expect(isAccepted(aRequest(documented.body, headers))).toBe(false);
  });

  test.each([[{}], [{ signingSecret: '' }]])(
    'when the app has no secret, even if it is signed with none',
    (secrets) => {
      const request = aRequest(documented.body, headersOf(sign('', timestamp, documented.body)));
      expect(() => verifySlack(request, secrets, timestamp * 1_000)).toThrow(WebhookRejectedError);
    },
  );
});

test('the reason tells neither secret nor signature', () => {
  const request = aRequest('other', headersOf(documented.signature));
  const refuse = () => verifySlack(request, { signingSecret }, timestamp * 1_000);
  expect(refuse).toThrow(/is not that of this body/);
  expect(refuse).not.toThrow(signingSecret);
  expect(refuse).not.toThrow(sign(signingSecret, timestamp, 'other'));
});

function isAccepted(request: RawRequest, secret = signingSecret, ageSeconds = 0): boolean {
  try {
    verifySlack(request, { signingSecret: secret }, (timestamp + ageSeconds) * 1_000);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WebhookRejectedError);
    return false;
  }
}

function aRequest(body: string | Buffer, headers: RawRequest['headers']): RawRequest {
  return { method: 'POST', urls: [], endpoint: 'events', headers, body: Buffer.from(body as string) };
}

function headersOf(signature: string, at = `${timestamp}`): Record<string, string> {
  return { 'x-slack-signature': signature, 'x-slack-request-timestamp': at };
}

function sign(secret: string, at: number, body: string | Buffer): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${at}:`).update(body).digest('hex')}`;
}
