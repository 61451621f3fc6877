import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RawRequest, Verified } from '../../gateway.ts';
import { WebhookRejectedError } from '../../gateway-error.ts';

const windowSeconds = 5 * 60;

/**
 * Checks that a request was signed with the app's signing secret, over exactly these bytes, within five minutes of
 * `nowMs` in either direction: HMAC-SHA-256 of `v0:<time stamp>:<raw body>`.
 *
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack/
 * @throws {WebhookRejectedError}
 */
export function verifySlack(
  request: RawRequest,
  secrets: Readonly<Record<string, string>>,
  nowMs: number,
): Verified<RawRequest> {
  const signingSecret = secrets['signingSecret'];
  // An empty secret would make a signature that anybody can make.
  if (!signingSecret) throw new WebhookRejectedError('the Slack app has no signing secret');

  const timestamp = readHeader(request, 'x-slack-request-timestamp', /^\d{1,12}$/);
  const ageSeconds = Math.floor(nowMs / 1_000) - Number(timestamp);
  if (Math.abs(ageSeconds) > windowSeconds)
    throw new WebhookRejectedError(`x-slack-request-timestamp differs from our clock by ${ageSeconds} s`);

  const signature = readHeader(request, 'x-slack-signature', /^v0=[0-9a-f]{64}$/);
  const expected = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(request.body);
  // Equally long: the form of the header was checked.
  if (!timingSafeEqual(Buffer.from(signature.slice('v0='.length), 'hex'), expected.digest()))
    throw new WebhookRejectedError('x-slack-signature is not that of this body and secret');

  return request as Verified<RawRequest>;
}

/** The one value of a header. One that was sent twice comes as a list or joined by commas, and has no form of ours. */
function readHeader({ headers }: RawRequest, name: string, form: RegExp): string {
  const value = headers[name];
  if (value === undefined) throw new WebhookRejectedError(`${name} is missing`);
  if (typeof value !== 'string' || !form.test(value))
    throw new WebhookRejectedError(`${name} has not the form that Slack gives it`);
  return value;
}
