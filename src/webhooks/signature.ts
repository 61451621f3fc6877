import { createHmac, randomBytes } from 'node:crypto';

/** Signatures as Standard Webhooks 1.0.0 has them (`v1`: HMAC-SHA256). */

const secretPrefix = 'whsec_';
const secretBytes = 32;

/** A secret as it is given to whoever receives. */
export function newWebhookSecret(): string {
  return `${secretPrefix}${randomBytes(secretBytes).toString('base64')}`;
}

/** What goes with a body. `secrets` are all that sign: the receiver needs to know one of them. */
export function signedHeaders(
  { id, body, nowMs }: { id: string; body: string; nowMs: number },
  secrets: readonly string[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  // Of the attempt, and not of the event: what is old is refused as replayed.
  const timestamp = String(Math.floor(nowMs / 1_000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => sign(secret, `${id}.${timestamp}.${body}`)).join(' '),
  };
}

function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
