import { createHash, createHmac } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import { equalInConstantTime } from '#kernel/key-ring.ts';
import type { RawRequest, Verified } from '../gateway.ts';
import { WebhookRejectedError } from '../gateway-error.ts';
import { readFormValues } from './form.ts';

/**
 * Checks `X-Twilio-Signature`: base64 of HMAC-SHA1, by the account's auth token, of the address that Twilio called and
 * every parameter of the form, sorted by name; for a JSON body of the address alone, which holds the body's SHA-256.
 * https://www.twilio.com/docs/usage/security#validating-requests
 *
 * Answers the request with `urls` reduced to the address that was signed. A signature has no time in it and holds for
 * ever: what it says must be recognised when it comes again. @throws {WebhookRejectedError}
 */
export function verifySignature(
  request: RawRequest,
  secrets: Readonly<Record<string, string>>,
): Verified<RawRequest> {
  const authToken = secrets['authToken'];
  if (!authToken) throw new WebhookRejectedError('There is no auth token to check a signature with.');
  if (request.method !== 'POST') throw new WebhookRejectedError('Twilio’s webhooks are taken by POST only.');
  const signature = request.headers['x-twilio-signature'];
  if (typeof signature !== 'string' || signature === '')
    throw new WebhookRejectedError('The request has no X-Twilio-Signature, or several.');

  const parametersSigned = readParametersSigned(request);
  for (const url of request.urls) {
    const [address = ''] = url.split('#', 1); // connection overrides stand there, and are not signed
    if (!coversBody(address, request)) continue;
    for (const form of formsOf(address))
      if (equalInConstantTime(signature, sign(authToken, form + parametersSigned)))
        return believe({ ...request, urls: [address] });
  }
  throw new WebhookRejectedError(
    'X-Twilio-Signature is not right: another auth token, or Twilio calls another address than PUBLIC_URL says.',
  );
}

function believe(request: RawRequest): Verified<RawRequest> {
  return request as Verified<RawRequest>;
}

function sign(authToken: string, text: string): string {
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

function readParametersSigned(request: RawRequest): string {
  switch (contentTypeOf(request)) {
    case 'application/x-www-form-urlencoded':
      return [...readFormValues(request.body)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, values]) => [...new Set(values)].sort().map((value) => name + value))
        .join('');
    case 'application/json':
      return '';
    default:
      throw new WebhookRejectedError('The body is neither a form nor JSON.');
  }
}

function coversBody(address: string, request: RawRequest): boolean {
  if (contentTypeOf(request) !== 'application/json') return true;
  if (!URL.canParse(address)) return false;
  const announced = new URL(address).searchParams.get('bodySHA256') ?? '';
  return equalInConstantTime(announced, createHash('sha256').update(request.body).digest('hex'));
}

function contentTypeOf({ headers }: RawRequest): string {
  const header = headers['content-type'];
  const [type = ''] = typeof header === 'string' ? header.split(';', 1) : [];
  return type.trim().toLowerCase();
}

/**
 * What Twilio may have signed for an address: with the port or without it, the standard one too, and with characters of
 * the query escaped as older parts of Twilio do.
 */
function formsOf(address: string): Set<string> {
  const forms = new Set([withoutPort(address), withPort(address)]);
  if (!URL.canParse(address)) return forms;
  const normalised = new URL(address).toString();
  for (const form of [withoutPort(normalised), withPort(normalised)]) forms.add(form).add(requoted(form));
  return forms;
}

// Not by `URL`, which escapes characters that were signed as they are.
const addressPattern = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?((?:[^/?#]*\])?[^/?#:]*)(:[^/?#]*)?(.*)$/is;

function withoutPort(address: string): string {
  return address.replace(addressPattern, '$1$2$3$5');
}

function withPort(address: string): string {
  return address.replace(
    addressPattern,
    (_, scheme: string, user = '', host = '', port = '', rest = '') =>
      scheme + user + host + (port || (scheme.toLowerCase() === 'https://' ? ':443' : ':80')) + rest,
  );
}

function requoted(address: string): string {
  const at = address.indexOf('?');
  if (at === -1 || at === address.length - 1) return address;
  return `${address.slice(0, at)}?${stringify(parse(address.slice(at + 1)))}`;
}
