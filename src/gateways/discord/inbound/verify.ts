import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { RawRequest, Verified } from '../../gateway.ts';
import { WebhookRejectedError } from '../../gateway-error.ts';

const windowSeconds = 5 * 60;

/**
 * Checks that a request was signed with the application's key: Ed25519 over the time stamp and exactly these bytes. A
 * signature is good for five minutes around its time stamp, so that one that got into other hands is not good for ever.
 *
 * @see https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
 * @throws {WebhookRejectedError}
 */
export function verifyDiscord(
  request: RawRequest,
  secrets: Readonly<Record<string, string>>,
  nowMs: number,
): Verified<RawRequest> {
  const publicKey = secrets['publicKey'];
  if (!publicKey) throw new WebhookRejectedError('the Discord application has no public key');
  const timestamp = readHeader(request, 'x-signature-timestamp', /^\d{1,12}$/);
  const signature = readHeader(request, 'x-signature-ed25519', /^[0-9a-f]{128}$/i);
  const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
  if (!verify(null, signed, keyOf(publicKey), Buffer.from(signature, 'hex')))
    throw new WebhookRejectedError('x-signature-ed25519 is not that of this body and key');
  const ageSeconds = Math.floor(nowMs / 1_000) - Number(timestamp);
  if (Math.abs(ageSeconds) > windowSeconds)
    throw new WebhookRejectedError(`x-signature-timestamp differs from our clock by ${ageSeconds} s`);
  return request as Verified<RawRequest>;
}

/** The one value of a header. One that was sent twice comes as a list or joined by commas, and has no form of ours. */
function readHeader({ headers }: RawRequest, name: string, form: RegExp): string {
  const value = headers[name];
  if (value === undefined) throw new WebhookRejectedError(`${name} is missing`);
  if (typeof value !== 'string' || !form.test(value))
    throw new WebhookRejectedError(`${name} has not the form that Discord gives it`);
  return value;
}

/** Of as many keys as there are apps; reading one takes longer than using it. */
const keys = new Map<string, KeyObject>();
const keysMax = 10_000;

function keyOf(publicKey: string): KeyObject {
  const known = keys.get(publicKey);
  if (known) return known;
  const key = readKey(publicKey);
  const [oldest] = keys.keys();
  if (keys.size >= keysMax && oldest !== undefined) keys.delete(oldest);
  keys.set(publicKey, key);
  return key;
}

function readKey(publicKey: string): KeyObject {
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    throw new WebhookRejectedError('the public key of the Discord application is none');
  }
}
