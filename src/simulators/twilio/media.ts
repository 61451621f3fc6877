import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpClient } from './http-client.ts';
import type { Journal, SentMedia } from './journal.ts';
import type { MediaFile } from './messages.ts';

const redirectsMax = 3;
const megabyte = 1_048_576;
/** Of all files of a message together. https://www.twilio.com/docs/messaging/guides/accepted-mime-types */
const totalBytesMax = { mms: 5 * megabyte, whatsapp: 16 * megabyte };

const documents = [
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
];
const acceptedTypes = {
  mms: new Set([
    ...'jpeg jpg gif png bmp tiff heic heif'.split(' ').map((name) => `image/${name}`),
    ...'basic L24 mp4 mpeg ogg vnd.rn-realaudio vnd.wave 3gpp 3gpp2 ac3 webm amr-nb amr'
      .split(' ')
      .map((name) => `audio/${name.toLowerCase()}`),
    ...'mpeg mp4 quicktime webm 3gpp 3gpp2 3gpp-tt h261 h263 h263-1998 h263-2000 h264'
      .split(' ')
      .map((name) => `video/${name}`),
    ...'vcard x-vcard csv rtf richtext calendar directory'.split(' ').map((name) => `text/${name}`),
    ...'pdf vcard vnd.apple.pkpass'.split(' ').map((name) => `application/${name}`),
  ]),
  whatsapp: new Set([
    ...'image/jpeg image/jpg image/png image/webp'.split(' '),
    ...'audio/ogg audio/amr audio/3gpp audio/aac audio/mpeg audio/mp4 video/mp4 video/3gpp'.split(' '),
    ...'text/vcard text/x-vcard application/pdf application/vcard'.split(' '),
    ...documents,
  ]),
};

export type FetchedMedia = { media: SentMedia[] } | { errorCode: number };

/**
 * Fetches what a message is to show, each file by HEAD and then by GET, without credentials. `errorCode`: 11200 it is not
 * to be had, 12300 it is of a type that the channel does not take, 11751 it is too large; 63019 on WhatsApp.
 */
export async function fetchMedia(
  http: HttpClient,
  urls: readonly string[],
  channel: 'mms' | 'whatsapp',
): Promise<FetchedMedia> {
  const media: SentMedia[] = [];
  for (const url of urls) {
    await follow(http, 'HEAD', url);
    const answer = await follow(http, 'GET', url);
    if (answer?.status !== 200) return { errorCode: channel === 'whatsapp' ? 63019 : 11200 };
    const contentType = String(answer.headers['content-type'] ?? '');
    if (!acceptedTypes[channel].has(contentType.split(';')[0]?.trim().toLowerCase() ?? ''))
      return { errorCode: 12300 };
    media.push({ url, contentType, bytes: answer.body });
  }
  const totalBytes = media.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (totalBytes > totalBytesMax[channel]) return { errorCode: channel === 'whatsapp' ? 63019 : 11751 };
  return { media };
}

async function follow(http: HttpClient, method: 'GET' | 'HEAD', url: string) {
  let address = url;
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const answer = await http.call({
      method,
      url: address,
      headers: { 'user-agent': 'TwilioProxy/1.1', accept: '*/*' },
      connectTimeoutMs: 5_000,
      answerTimeoutMs: 15_000,
    });
    if (!('status' in answer)) return undefined;
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || !location) return answer;
    address = new URL(location, address).href;
  }
  return undefined;
}

/** Where the API sends those who ask for a file: another host, which knows no credentials and wants to see none. */
export function createMediaStore(journal: Journal) {
  const files = new Map<string, MediaFile>();
  return {
    /** A path that nobody can guess. */
    publish(file: MediaFile): string {
      const path = `/${file.sid}/${randomBytes(16).toString('hex')}`;
      files.set(path, file);
      return path;
    },
    answer(request: IncomingMessage, response: ServerResponse): void {
      if (request.headers.authorization !== undefined) {
        journal.violate('forwarded_credentials', `${request.method} of a media file`);
        response.writeHead(400).end('Only one auth mechanism allowed');
        return;
      }
      const file = files.get(request.url ?? '');
      if (!file) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': file.contentType, 'content-length': file.bytes.length });
      response.end(request.method === 'HEAD' ? undefined : file.bytes);
    },
  };
}
