import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { newWebhookSecret, signedHeaders } from './signature.ts';

const body = '{"type":"message.received","data":{"text":"Grüße ✓"}}';
const id = `evt_${'0'.repeat(32)}`;

test('what is signed is what the library of Standard Webhooks verifies', () => {
  const secret = newWebhookSecret();
  const headers = signedHeaders({ id, body, nowMs: Date.now() }, [secret]);
  expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
});

test('a signature is that of the specification, to the sign', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = signedHeaders(
    { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', nowMs: 1_614_265_330_999 },
    [secret],
  );
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('each of several secrets signs, and either is enough', () => {
  const secrets = [newWebhookSecret(), newWebhookSecret()];
  const headers = signedHeaders({ id, body, nowMs: Date.now() }, secrets);
  expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
  for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
  const stranger = `whsec_${randomBytes(32).toString('base64')}`;
  expect(() => new Webhook(stranger).verify(body, headers)).toThrow();
  const { verify } = new Webhook(secrets[0] ?? '');
  expect(() => verify(`${body} `, headers)).toThrow();
});

test('a secret is 32 random bytes', () => {
  const secrets = Array.from({ length: 100 }, newWebhookSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) expect(Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).toHaveLength(32);
});
