import type { Request, Response } from 'express';
import type { Identity } from '#identity/identity.ts';
import { ProblemError } from '#kernel/problem.ts';
import { unauthorized } from './refusals.ts';

/** What a request proves itself with. */
export type Credentials = { bearer: string } | { sessionToken: string };

type Cookie = Identity['cookie'];

/**
 * Reads the one of them that counts: `Authorization` before the cookie. A cookie comes along with whatever a browser is
 * made to send, so what changes something needs what no foreign page can add. @throws {ProblemError} 401 or 403
 */
export function readCredentials(request: Request, cookie: Cookie): Credentials | undefined {
  const header = request.get('authorization');
  if (header !== undefined) {
    const [scheme, bearer = '', ...more] = header.trim().split(/ +/);
    if (scheme?.toLowerCase() !== 'bearer' || bearer === '' || more.length > 0)
      throw unauthorized(
        'credentials_missing',
        'Send an API key or an access token as "Authorization: Bearer …".',
      );
    return { bearer };
  }
  const sessionToken = readCookie(request, cookie.name);
  if (sessionToken === undefined) return undefined;
  refuseForeignPage(request);
  return { sessionToken };
}

/** Has the browser keep what is its alone, or forget it. */
export function keepCookie(response: Response, cookie: Cookie, kept: { token: string } | 'ended'): void {
  const { maxAgeMs, ...attributes } = cookie.attributes;
  if (kept === 'ended') response.clearCookie(cookie.name, attributes);
  else response.cookie(cookie.name, kept.token, { ...attributes, maxAge: maxAgeMs });
}

export function readCookie(request: Request, name: string): string | undefined {
  for (const pair of (request.get('cookie') ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value) return value;
  }
  return undefined;
}

/** Whether the cookie counts: nothing is changed, or what changes it is asked for by a page of ours. */
export function isOurOwnPage(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const site = request.get('sec-fetch-site');
  return request.get('x-csrf') !== undefined && (site === undefined || site === 'same-origin');
}

// A foreign page cannot add a header of its own without being allowed to (CORS), and we allow nobody. Browsers also say
// where a request comes from (Fetch Metadata).
function refuseForeignPage(request: Request): void {
  if (isOurOwnPage(request)) return;
  throw new ProblemError(
    403,
    'csrf_header_missing',
    'Forbidden',
    'A call with the session cookie that changes something needs the header "X-CSRF: 1", from a page of this host.',
  );
}
