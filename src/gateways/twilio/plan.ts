import { z } from 'zod';
import type { OutboundAttachment, OutboundMessage } from '../gateway.ts';
import { plainParts } from '../markdown/plain-parts.ts';
import { isTaken } from './media-types.ts';

/** One message of Twilio's. */
export type Part = { text: string; media: readonly OutboundAttachment[] };

/** Characters that Twilio takes in one message. */
const textLengthMax = 1_600;
/** WhatsApp takes so many in a template, of which something is fixed text. */
const templateTextLengthMax = 900;

type Bounds = { count: number; bytes: number };
/** MMS: https://www.twilio.com/docs/messaging/guides/accepted-mime-types */
const mmsBounds: Bounds = { count: 10, bytes: 5 * 1024 * 1024 };
/** One file a message: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages */
const whatsAppBounds: Bounds = { count: 1, bytes: 16 * 1024 * 1024 };

/**
 * What a message is sent as: the text in as many parts as it takes, files with the last of them, and those that do not
 * fit there in parts of their own. A file that no part can take is named in the text.
 *
 * The same message is planned alike whenever it is asked: an attempt goes on where the one before it stopped.
 */
export function planParts(
  message: OutboundMessage,
  { whatsApp, mayBeTemplate }: { whatsApp: boolean; mayBeTemplate: boolean },
): Part[] {
  const bounds = whatsApp ? whatsAppBounds : mmsBounds;
  const lengthMax = mayBeTemplate ? templateTextLengthMax : textLengthMax;
  const [fitting, others] = partition(
    message.attachments,
    ({ sizeBytes, contentType }) => sizeBytes <= bounds.bytes && isTaken(contentType, whatsApp),
  );
  // Files speak for themselves; what stands for an answer that shows nothing is for when there is nothing else.
  const isSilent = message.text.trim() === '' && message.attachments.length > 0;
  const texts = addLines(
    isSilent ? [] : plainParts(message.text, lengthMax),
    [...describeSources(message.content['sources']), ...others.map((file) => nameFiles([file]))],
    lengthMax,
  );
  const parts: Part[] = texts.map((text) => ({ text, media: [] }));
  for (const media of group(fitting, bounds)) {
    const last = parts.at(-1);
    const goesAlong = last?.media.length === 0 && (!whatsApp || isCaption(last.text, media));
    if (last && goesAlong) parts[parts.length - 1] = { ...last, media };
    else parts.push({ text: '', media });
  }
  return parts;
}

const captionLengthMax = 1_024;

/** WhatsApp shows no text with any other file, and no longer one. */
function isCaption(text: string, [file]: readonly OutboundAttachment[]): boolean {
  const hasCaption = /^(?:image|video)\/(?!webp)/.test(file?.contentType ?? '');
  return hasCaption && text.length <= captionLengthMax;
}

/** The names of files, each on a line of its own: `report.pdf (6.2 MB)`. */
export function nameFiles(files: readonly OutboundAttachment[]): string {
  return files
    .map(({ name, sizeBytes }) => `${[...name].slice(0, nameLengthMax).join('')} (${sizeOf(sizeBytes)})`)
    .join('\n');
}

const nameLengthMax = 200;

function sizeOf(bytes: number): string {
  const kilobytes = bytes / 1024;
  return kilobytes < 1024 ? `${Math.ceil(kilobytes)} kB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

function partition<Item>(items: readonly Item[], fits: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(fits), items.filter((item) => !fits(item))];
}

function group(files: readonly OutboundAttachment[], { count, bytes }: Bounds): OutboundAttachment[][] {
  const groups: OutboundAttachment[][] = [];
  let bytesLeft = 0;
  for (const file of files) {
    const last = groups.at(-1);
    if (last && last.length < count && file.sizeBytes <= bytesLeft) {
      last.push(file);
    } else {
      groups.push([file]);
      bytesLeft = bytes;
    }
    bytesLeft -= file.sizeBytes;
  }
  return groups;
}

function addLines(texts: readonly string[], lines: readonly string[], lengthMax: number): string[] {
  const added = [...texts];
  for (const line of lines) {
    const last = added.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= lengthMax)
      added[added.length - 1] = `${last}\n${line}`;
    else added.push(line);
  }
  return added;
}

const sourceSchema = z.object({ title: z.string().min(1), url: z.string().optional() });
const sourcesMax = 10;
const sourceLengthMax = 300;

/** What the answer rests on, by the numbers that stand in its text: `[1] Handbook https://…`. */
function describeSources(given: unknown): string[] {
  if (!Array.isArray(given)) return [];
  return given.slice(0, sourcesMax).flatMap((source, index) => {
    const { success, data } = sourceSchema.safeParse(source);
    if (!success) return [];
    const url = data.url !== undefined && /^https?:\/\//.test(data.url) ? ` ${data.url}` : '';
    const line = `[${index + 1}] ${data.title}`.slice(0, sourceLengthMax).toWellFormed();
    return [line.length + url.length <= sourceLengthMax ? line + url : line];
  });
}
