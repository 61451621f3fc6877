import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { Channel } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import { accountOf, type SharedAccount, twilioApiUrl } from './settings.ts';

export type AttachmentParts = {
  sharedAccount?: SharedAccount | undefined;
  apiUrl?: string | undefined;
  /** Reaches the public internet and the addresses of the operator's, and nothing behind them. */
  fetch: typeof globalThis.fetch;
};

const redirectsMax = 3;

/**
 * Fetches a file that came with a message. The API is asked with the account's token and sends on to a store, which is
 * asked without: its address is signed, and not ours to trust.
 * https://www.twilio.com/docs/messaging/api/media-resource
 */
export async function openAttachment(
  { fetch, sharedAccount, apiUrl }: AttachmentParts,
  channel: Channel,
  source: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const account = accountOf(channel, sharedAccount, apiUrl);
  const apiOrigins = [twilioApiUrl, new URL(account.apiUrl).origin];
  let url = readAddress(source['url'], apiOrigins);
  let headers: Record<string, string> = apiOrigins.includes(url.origin)
    ? { authorization: basic(account) }
    : {};

  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const { host } = url;
    const response = await fetch(url.href, { headers, redirect: 'manual', signal }).catch(
      (error: unknown) => {
        if (error instanceof ForbiddenUrlError)
          throw new GatewayError(
            'message_refused',
            `The file is where nobody is sent from here: ${error.message}`,
          );
        throw new GatewayError(
          'unavailable',
          `The file could not be fetched from ${host} (${nameOf(error)}).`,
        );
      },
    );
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null)
      throw refusalOf(response.status, url.host);
    if (!URL.canParse(location, url.href))
      throw new GatewayError('message_refused', `${url.host} redirects to no address.`);
    url = new URL(location, url);
    headers = {};
  }
  throw new GatewayError('message_refused', `${url.host} redirects too often.`);
}

/** A tenant with an account of its own can sign any address for us to fetch, so only Twilio's are begun with. */
function readAddress(value: unknown, apiOrigins: readonly string[]): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isTwilio =
    url?.protocol === 'https:' && url.port === '' && /^(?:[a-z0-9-]+\.)+twilio\.com$/.test(url.hostname);
  if (url && url.username === '' && url.password === '' && (isTwilio || apiOrigins.includes(url.origin)))
    return url;
  throw new GatewayError('message_refused', 'The file is not at an address of Twilio’s.');
}

function basic({ accountSid, authToken }: { accountSid: string; authToken: string }): string {
  return `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
}

function refusalOf(status: number, host: string): GatewayError {
  const said = `${host} answered HTTP ${status} to the request for a file.`;
  if (status === 401 || status === 403) return new GatewayError('credentials_refused', said);
  if (status === 429) return new GatewayError('rate_limited', said);
  if (status >= 500) return new GatewayError('unavailable', said);
  return new GatewayError('message_refused', said);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'no reason known';
}
