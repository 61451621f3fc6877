import { createHmac } from 'node:crypto';

/**
 * The `X-Twilio-Signature` of a form post: base64 of HMAC-SHA1, keyed with the auth token, over the address followed by
 * every parameter's name and value, ordered by name. Of equal names each different value counts once, in order.
 * https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signForm(authToken: string, url: string, params: URLSearchParams): string {
  const names = [...new Set(params.keys())].sort();
  const said = names.flatMap((name) => [...new Set(params.getAll(name))].sort().map((value) => name + value));
  return createHmac('sha1', authToken)
    .update(url + said.join(''), 'utf8')
    .digest('base64');
}
