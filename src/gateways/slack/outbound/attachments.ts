import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { settingsOf } from '../channel.ts';
import type { SlackApi } from './api.ts';

/** Fetches from where Slack keeps files, and from nowhere else. Redirects come back as they are. @throws {GatewayError} */
export type SlackFileFetch = (channel: OpenChannel, url: string, init: RequestInit) => Promise<Response>;

/**
 * @param guardedFetch reaches the public internet only
 * @param apiUrl where the Web API is, when it is not Slack's own; files are there then, too
 */
export function createFileFetch(guardedFetch: typeof fetch, apiUrl: string | undefined): SlackFileFetch {
  return async (channel, url, init) => {
    const standIn = settingsOf(channel).apiUrl ?? apiUrl;
    const isStandIn =
      standIn !== undefined && URL.canParse(url) && new URL(url).origin === new URL(standIn).origin;
    // Who stands in for Slack was chosen by the operator, and may be on this machine.
    const send = isStandIn ? fetch : guardedFetch;
    if (!isStandIn && !isSlackHost(url))
      throw new GatewayError('message_refused', 'A file of a message is not at Slack, so it is not fetched.');
    return send(url, { ...init, redirect: 'manual' }).catch((cause: unknown) => {
      throw new GatewayError('unavailable', 'Slack gave no answer to a transfer of a file.', { cause });
    });
  };
}

function isSlackHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, port } = new URL(url);
  return protocol === 'https:' && port === '' && /(^|\.)slack(-gov)?\.com$/.test(hostname);
}

export type AttachmentParts = {
  api: SlackApi;
  fetchFile: SlackFileFetch;
  tokens: (channel: OpenChannel) => Promise<string>;
};

const redirectsMax = 3;

/**
 * The bytes of a file that came along with a message. `source`: `{ id, url? }`; without an address Slack is asked for it.
 * The token goes to Slack's own hosts only. @throws {GatewayError}
 *
 * @see https://docs.slack.dev/reference/objects/file-object/#authentication
 */
export async function openAttachment(
  parts: AttachmentParts,
  channel: OpenChannel,
  source: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  let url = await addressOf(parts, channel, source, signal);
  const headers = { authorization: `Bearer ${await parts.tokens(channel)}` };
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const response = await parts.fetchFile(channel, url, { headers, signal });
    const target = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || target === null) return readFile(response);
    await response.body?.cancel();
    url = URL.canParse(target, url) ? new URL(target, url).href : target;
  }
  throw new GatewayError('message_refused', 'Slack redirects a file too often.');
}

async function addressOf(
  { api }: AttachmentParts,
  channel: OpenChannel,
  { id, url }: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<string> {
  if (typeof url === 'string') return url;
  const { file } = await api.call(channel, 'files.info', { file: id }, signal);
  const address = file?.url_private_download ?? file?.url_private;
  if (address) return address;
  throw new GatewayError('message_refused', 'Slack names no address of this file.');
}

async function readFile(response: Response): Promise<ReadableStream<Uint8Array>> {
  const { status, headers, body } = response;
  if (status === 200 && body && !isSignInPage(headers)) return body;
  await body?.cancel();
  if (status === 200 && body)
    throw new GatewayError(
      'credentials_refused',
      'Slack answered a download with its sign-in page: the bot token may not read this file (scope files:read).',
    );
  if (status === 401 || status === 403)
    throw new GatewayError('credentials_refused', `Slack refuses a download with HTTP ${status}.`);
  if (status === 429) {
    const retryAfterMs = (Number(headers.get('retry-after')) || 10) * 1_000;
    throw new GatewayError('rate_limited', 'Slack lets no more files be downloaded at the moment.', {
      retryAfterMs,
    });
  }
  if (status >= 500) throw new GatewayError('unavailable', `Slack answered a download with HTTP ${status}.`);
  throw new GatewayError('message_refused', `Slack does not have this file any more (HTTP ${status}).`);
}

// A file that is itself a web page comes as something to be saved.
function isSignInPage(headers: Headers): boolean {
  const isPage = /^text\/html\b/i.test(headers.get('content-type') ?? '');
  return isPage && !/^attachment\b/i.test(headers.get('content-disposition') ?? '');
}
