import { createHmac } from 'node:crypto';

/** Slack's signature of a request (https://docs.slack.dev/authentication/verifying-requests-from-slack). */
export function sign(signingSecret: string, timestamp: string, body: string | Buffer): string {
  const hash = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(body).digest('hex');
  return `v0=${hash}`;
}
