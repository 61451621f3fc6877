import { toWire } from '#domain/ids.ts';
import type { Channel } from '../gateway.ts';
import { settingsOf, twilioApiUrl } from './settings.ts';

/**
 * Where Twilio tells what became of a part. The delivery stands in the address, which Twilio signs along: it may tell
 * before the part's id is recorded here.
 *
 * `undefined` when the address is on this machine and the API is Twilio's own, which refuses the whole message for it
 * (error 21609).
 */
export function statusAddress(
  channel: Channel,
  apiUrl: string,
  publicUrl: string,
  deliveryId: string,
  part: number,
): string | undefined {
  if (apiUrl === twilioApiUrl && isLoopback(publicUrl)) return undefined;
  const app = settingsOf(channel).accountSid === undefined ? '' : `${encodeURIComponent(channel.key)}/`;
  const base = publicUrl.replace(/\/+$/, '');
  return `${base}/webhooks/twilio/${app}status?delivery=${toWire('delivery', deliveryId)}&part=${part}`;
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}
