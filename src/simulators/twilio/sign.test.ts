import { readFileSync } from 'node:fs';
import twilio from 'twilio';
import { expect, test } from 'vitest';
import { signForm } from './sign.ts';

type Vector = {
  name: string;
  authToken: string;
  url: string;
  params: Record<string, string | string[]>;
  signature: string | null;
  valid: boolean;
};

const vectors = (
  JSON.parse(
    readFileSync(new URL('../../../test/fixtures/twilio/signature-vectors.json', import.meta.url), 'utf8'),
  ) as { vectors: Vector[] }
).vectors;

function formOf(params: Vector['params']): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, values] of Object.entries(params)) {
    for (const value of [values].flat()) form.append(name, value);
  }
  return form;
}

/** Of these the signature is over another writing of the address than the one that they give. */
const otherAddress: Record<string, string> = {
  'https url with a port, signed without it': 'https://mycompany.com/myapp.php?foo=1&bar=2',
  'https url without a port, signed with standard port 443':
    'https://mycompany.com:443/myapp.php?foo=1&bar=2',
  'url with special characters': 'https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing',
};

test.each(vectors.filter(({ valid }) => valid))('signs as Twilio does: $name', (vector) => {
  const url = otherAddress[vector.name] ?? vector.url;
  expect(signForm(vector.authToken, url, formOf(vector.params))).toBe(vector.signature);
});

test("agrees with Twilio's own library about odd parameters", () => {
  const url = 'https://chat.example.com:8443/webhooks/twilio/ck_a?x=1&y=%20';
  const params = { b: 'ä 😀', B: '', a: 'x=y&z', MediaUrl0: 'http://127.0.0.1/a', AccountSid: 'AC1' };
  const ours = signForm('token', url, new URLSearchParams(params));
  expect(ours).toBe(twilio.getExpectedTwilioSignature('token', url, params));
  expect(twilio.validateRequest('token', ours, url, params)).toBe(true);
  expect(twilio.validateRequest('other token', ours, url, params)).toBe(false);
});
