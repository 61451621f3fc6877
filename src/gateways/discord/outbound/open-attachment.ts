import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { type AppFinder, settingsOf } from '../channel.ts';
import { fieldsOf, idOf, rowsOf, textOf } from '../inbound/payload.ts';
import type { DiscordApi } from './api.ts';

export type AttachmentParts = {
  api: DiscordApi;
  apps: AppFinder;
  apiUrl: string | undefined;
  /** Reaches the public internet only. */
  fetch: typeof globalThis.fetch;
};

const hosts: ReadonlySet<string> = new Set(['cdn.discordapp.com', 'media.discordapp.net']);

/**
 * The bytes of a file that came along. `source`: `{ url, channel, message, id }`. Discord's addresses are signed and good
 * for a day: for one that has run out, the message is asked for a new one. No token goes along. @throws {GatewayError}
 */
export async function openAttachment(
  parts: AttachmentParts,
  channel: OpenChannel,
  source: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const first = await download(parts, channel, textOf(source['url']) ?? '', signal);
  if (first.status !== 403 && first.status !== 404) return readFile(first);
  await first.body?.cancel();
  return readFile(await download(parts, channel, await renew(parts, channel, source, signal), signal));
}

async function download(
  { fetch: guardedFetch, apiUrl }: AttachmentParts,
  channel: OpenChannel,
  url: string,
  signal: AbortSignal,
): Promise<Response> {
  if (!URL.canParse(url)) throw new GatewayError('message_refused', 'A file of a message has no address.');
  const { origin, protocol, hostname, port } = new URL(url);
  const standIn = settingsOf(channel).apiUrl ?? apiUrl;
  // Who stands in for Discord was chosen by the operator, and may be on this machine.
  const isStandIn = standIn !== undefined && origin === new URL(standIn).origin;
  if (!isStandIn && !(protocol === 'https:' && port === '' && hosts.has(hostname)))
    throw new GatewayError('message_refused', 'A file of a message is not at Discord, so it is not fetched.');
  const send = isStandIn ? fetch : guardedFetch;
  return send(url, { signal, redirect: 'manual' }).catch((cause: unknown) => {
    throw new GatewayError('unavailable', 'Discord gave no answer to a download.', { cause });
  });
}

async function renew(
  { api, apps }: AttachmentParts,
  channel: OpenChannel,
  source: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<string> {
  const app = apps.of(channel);
  const [at, message] = [idOf(source['channel']), idOf(source['message'])];
  if (!app || at === undefined || message === undefined)
    throw new GatewayError('message_refused', 'Discord does not have this file any more.');
  const found = await api.call(app, { method: 'GET', route: `/channels/${at}/messages/${message}` }, signal);
  const file = rowsOf(fieldsOf(found)['attachments']).find(({ id }) => id === source['id']);
  const url = textOf(file?.['url']);
  if (url === undefined)
    throw new GatewayError('message_refused', 'Discord does not have this file any more.');
  return url;
}

async function readFile({ status, body, headers }: Response): Promise<ReadableStream<Uint8Array>> {
  if (status === 200 && body) return body;
  await body?.cancel();
  if (status === 429)
    throw new GatewayError('rate_limited', 'Discord lets no more files be downloaded at the moment.', {
      retryAfterMs: (Number(headers.get('retry-after')) || 10) * 1_000,
    });
  if (status >= 500)
    throw new GatewayError('unavailable', `Discord answered a download with HTTP ${status}.`);
  throw new GatewayError('message_refused', `Discord does not have this file any more (HTTP ${status}).`);
}
