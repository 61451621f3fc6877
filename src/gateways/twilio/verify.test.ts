import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import fixture from '../../../test/fixtures/twilio/signature-vectors.json' with { type: 'json' };
import type { RawRequest } from '../gateway.ts';
import { WebhookRejectedError } from '../gateway-error.ts';
import { verifySignature } from './verify.ts';

const authToken = '12345';
const url = 'https://chat.example/webhooks/twilio/messages';
const params = { MessageSid: 'SM1', From: '+15550100', To: '+15550001', Body: 'Grüße & more = "yes" 👋' };

type Params = Readonly<Record<string, string | readonly string[]>>;

function aRequest(over: Partial<RawRequest> = {}, form: Params = params): RawRequest {
  return {
    method: 'POST',
    urls: [url],
    endpoint: 'messages',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': signatureOf(url, form),
    },
    body: encode(form),
    ...over,
  };
}

const signatureOf = (address: string, form: Params = params, token = authToken) =>
  twilio.getExpectedTwilioSignature(token, address, form);

function encode(form: Params): Buffer {
  const pairs = Object.entries(form).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  return Buffer.from(new URLSearchParams(pairs).toString());
}

const isTaken = (request: RawRequest, token: string | undefined = authToken) => {
  try {
    verifySignature(request, token === undefined ? {} : { authToken: token });
    return true;
  } catch (error) {
    if (error instanceof WebhookRejectedError) return false;
    throw error;
  }
};

const withSignature = (signature: string | string[] | undefined, over: Partial<RawRequest> = {}) =>
  aRequest({ ...over, headers: { ...aRequest().headers, 'x-twilio-signature': signature } });

describe('the vectors of Twilio’s own library', () => {
  test.each(fixture.vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const request = aRequest({
      urls: [vector.url],
      headers: {
        'content-type': vector.body === undefined ? 'application/x-www-form-urlencoded' : 'application/json',
        'x-twilio-signature': vector.signature ?? undefined,
      },
      body: vector.body === undefined ? encode(vector.params as Params) : Buffer.from(vector.body),
    });
    expect(isTaken(request, vector.authToken)).toBe(vector.valid);
  });
});

describe('agreement with Twilio’s own library', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const names = fc.constantFrom('Body', 'From', 'a', 'A', '__proto__', 'MediaUrl0', 'ä', '');
  const forms = fc
    .dictionary(fc.oneof(names, text), fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), {
      maxKeys: 8,
    })
    .map((form) => Object.fromEntries(Object.entries(form)));
  const addresses = fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'HTTPS://'),
      fc.constantFrom('', 'user:pass@', 'a@b@'),
      fc.constantFrom('chat.example', 'Chat.Example', '[::1]', '127.0.0.1'),
      fc.constantFrom('', ':443', ':80', ':8443'),
      fc.constantFrom('', '/', '/webhooks/twilio/ck_sms/messages', "/it's/%7e/a b"),
      fc.oneof(
        fc.constantFrom('', '?', "?q=it's+here", '?a=1&a=2&b', '?x=%zz', '?delivery=dlv_1&part=2'),
        text.map((value) => `?q=${encodeURIComponent(value)}`),
      ),
    )
    .map((pieces) => pieces.join(''));

  test('on any address and any parameters, whichever way the port is written', () => {
    fc.assert(
      fc.property(addresses, addresses, forms, fc.boolean(), (address, another, form, isSame) => {
        const signature = signatureOf(isSame ? address : another, form);
        const request = aRequest({
          urls: [address],
          headers: { ...aRequest().headers, 'x-twilio-signature': signature },
          body: encode(form),
        });
        expect(isTaken(request)).toBe(twilio.validateRequest(authToken, signature, address, form));
      }),
      { numRuns: 500 },
    );
  });

  test('on every way in which the library itself would take an address', () => {
    const variants = (address: string) => [
      address,
      address.replace('chat.example', 'chat.example:443'),
      address.replace('chat.example', 'chat.example:8443'),
      address.replaceAll("'", '%27'),
    ];
    const all = ["https://chat.example/m?Body=it's+here&x=1", 'https://user:pass@chat.example/m'].flatMap(
      variants,
    );
    for (const called of all)
      for (const signed of all) {
        const signature = signatureOf(signed);
        const request = withSignature(signature, { urls: [called] });
        expect([called, signed, isTaken(request)]).toEqual([
          called,
          signed,
          twilio.validateRequest(authToken, signature, called, params),
        ]);
      }
  });

  test('on JSON bodies, which the address holds the hash of', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (announced, sent) => {
        const hash = createHash('sha256').update(announced).digest('hex');
        const address = `${url}?bodySHA256=${hash}`;
        const signature = signatureOf(address, {});
        const request = aRequest({
          urls: [address],
          headers: { 'content-type': 'application/json', 'x-twilio-signature': signature },
          body: Buffer.from(sent),
        });
        expect(isTaken(request)).toBe(twilio.validateRequestWithBody(authToken, signature, address, sent));
      }),
    );
  });
});

describe('an address', () => {
  test('is any of those that the platform may know, and the one that was signed is told', () => {
    const inside = 'http://10.0.0.7:8080/webhooks/twilio/messages';
    const request = aRequest({ urls: [inside, `${url}#rc=2&rp=all`, 'not an address'] });
    expect(verifySignature(request, { authToken }).urls).toEqual([url]);
  });

  test('is signed without its fragment', () => {
    expect(isTaken(aRequest({ urls: [`${url}#rc=2&rp=all`] }))).toBe(true);
    expect(isTaken(withSignature(signatureOf(`${url}#rc=2`), { urls: [`${url}#rc=2`] }))).toBe(false);
  });

  test.each([
    ['another host', 'https://evil.example/webhooks/twilio/messages'],
    ['another path', 'https://chat.example/webhooks/twilio/ck_other/messages'],
    ['another scheme', 'http://chat.example/webhooks/twilio/messages'],
    ['a parameter more', `${url}?part=2`],
    ['no address at all', ''],
  ])('that is %s is not what was signed', (_, other) => {
    expect(isTaken(aRequest({ urls: [other] }))).toBe(false);
  });

  test('must be known', () => {
    expect(isTaken(aRequest({ urls: [] }))).toBe(false);
  });
});

describe('nothing is taken', () => {
  test('with one byte of the body, or of the signature, another, missing or too many', () => {
    const request = aRequest();
    const { body } = request;
    expect(isTaken(request)).toBe(true);
    for (let at = 0; at < body.length; at++) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isTaken({ ...request, body: changed }), `byte ${at}`).toBe(false);
    }
    const signature = signatureOf(url);
    for (let at = 0; at < signature.length; at++)
      expect(isTaken(withSignature(signature.slice(0, at) + signature.slice(at + 1)))).toBe(false);
    for (const other of [
      `${signature}=`,
      ` ${signature}`,
      signature.toLowerCase(),
      signature.replace('=', ''),
    ])
      expect(isTaken(withSignature(other))).toBe(false);
  });

  test('by another tenant’s token', () => {
    expect(isTaken(aRequest(), '12346')).toBe(false);
    expect(isTaken(withSignature(signatureOf(url, params, '12346')))).toBe(false);
  });

  test('without a token, however it was signed', () => {
    const forged = createHmac('sha1', '').update(url).digest('base64');
    expect(() => verifySignature(withSignature(forged), {})).toThrow(WebhookRejectedError);
    expect(() => verifySignature(withSignature(signatureOf(url, params, '')), { authToken: '' })).toThrow(
      'no auth token',
    );
  });

  test('without a signature, or with several', () => {
    const signature = signatureOf(url);
    for (const header of [
      undefined,
      '',
      [],
      [signature],
      [signature, signature],
      `${signature}, ${signature}`,
    ])
      expect(isTaken(withSignature(header))).toBe(false);
  });

  test('with a parameter that was not signed, one left out, or one said twice', () => {
    const { headers } = aRequest();
    const forms: Params[] = [
      { ...params, AccountSid: 'AC2' },
      { MessageSid: 'SM1', From: '+15550100', To: '+15550001' },
      { ...params, To: ['+15550001', '+15550002'] },
    ];
    for (const form of forms) expect(isTaken(aRequest({ headers, body: encode(form) }))).toBe(false);
  });

  test('by GET, where nothing but the address is signed', () => {
    expect(isTaken(aRequest({ method: 'GET' }))).toBe(false);
  });

  test('of a JSON body that the address does not speak of', () => {
    const headers = { 'content-type': 'application/json', 'x-twilio-signature': signatureOf(url, {}) };
    expect(isTaken(aRequest({ headers, body: Buffer.from('{"From":"+15550100"}') }))).toBe(false);
    expect(isTaken(aRequest({ headers, body: Buffer.alloc(0) }))).toBe(false);
  });

  test('of a body of another kind', () => {
    const { headers } = aRequest();
    for (const type of ['multipart/form-data; boundary=x', 'text/plain', '', undefined])
      expect(isTaken(aRequest({ headers: { ...headers, 'content-type': type } }))).toBe(false);
  });
});

test('a refusal tells neither the token nor the signature that would have been right', () => {
  const right = signatureOf(url);
  try {
    verifySignature(withSignature('wrong'), { authToken });
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain(right);
    expect(String(error)).not.toContain(authToken);
  }
});

test('the same parameter several times is signed once for each value of it', () => {
  expect(isTaken(aRequest({}, { ...params, Tag: ['b', 'a', 'b'] }))).toBe(true);
});
