import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { TeamsApi } from './api.ts';
import { isWithinService } from './within-service.ts';

export type AttachmentParts = {
  api: TeamsApi;
  /** Reaches the public internet and the addresses of the operator's, and nothing behind them. */
  fetch: typeof globalThis.fetch;
};

const redirectsMax = 3;

/**
 * The bytes of a file that came along. `source`: `{ url, serviceUrl? }`. Our token goes only to an address below the signed
 * `serviceUrl` that the message came with, and along no redirect. @throws {GatewayError}
 */
export async function openAttachment(
  { api, fetch }: AttachmentParts,
  channel: OpenChannel,
  { url, serviceUrl }: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  let address = readAddress(url);
  const isTeams = typeof serviceUrl === 'string' && isWithinService(address, serviceUrl);
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const isFirst = redirects === 0;
    const headers = isTeams && isFirst ? { authorization: `Bearer ${await api.token(channel, signal)}` } : {};
    const response = await fetch(address.href, { headers, redirect: 'manual', signal }).catch(
      (error: unknown) => {
        if (error instanceof ForbiddenUrlError)
          throw new GatewayError('message_refused', 'The file is where nobody is sent from here.');
        throw new GatewayError('unavailable', `The file could not be fetched from ${address.host}.`);
      },
    );
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null)
      throw refusalOf(response.status, address.host);
    address = readAddress(URL.canParse(location, address.href) ? new URL(location, address).href : undefined);
  }
  throw new GatewayError('message_refused', 'Teams redirects a file too often.');
}

function readAddress(value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new GatewayError('message_refused', 'The file has no address to be fetched from.');
}

function refusalOf(status: number, host: string): GatewayError {
  const said = `${host} answered HTTP ${status} to the request for a file.`;
  if (status === 401 || status === 403) return new GatewayError('credentials_refused', said);
  if (status === 429) return new GatewayError('rate_limited', said);
  if (status >= 500) return new GatewayError('unavailable', said);
  return new GatewayError('message_refused', said);
}
