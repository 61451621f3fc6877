import type { InboundAttachment, InboundEvent, OpenChannel } from '../gateway.ts';
import { type ConsentTexts, readConsent } from './consent.ts';
import type { ReadParameter } from './form.ts';
import { writePlace } from './places.ts';

/**
 * Reads what Twilio sends when somebody writes. https://www.twilio.com/docs/messaging/guides/webhook-request
 * Parameters are added without notice, so only what is named here is looked at.
 */
export function parseMessage(read: ReadParameter, channel: OpenChannel, texts: ConsentTexts): InboundEvent {
  const sid = read('MessageSid');
  const ours = read('To');
  const theirs = read('From');
  if (!sid || !sidPattern.test(sid)) return unsupported('a message without an id');
  if (!ours || !theirs || !addressPattern.test(ours) || !addressPattern.test(theirs))
    return unsupported('a message without its addresses');

  const place = { ours, theirs };
  const pressed = read('ButtonPayload') ?? read('ListId');
  const text = readText(read);
  const attachments = readAttachments(read);
  if (text === '' && attachments.length === 0) return unsupported('a message that says nothing');
  return {
    kind: pressed === undefined && !read('ButtonText') ? 'message' : 'action',
    key: `message/${sid}`,
    conversationExternalId: writePlace(place),
    participant: { externalId: theirs, verified: true, profile: readProfile(read) },
    text,
    content: { twilio: readDetails(read) },
    ...(attachments.length > 0 && { attachments }),
    ...readConsent(read, text, place, channel, texts),
  };
}

const sidPattern = /^[A-Za-z0-9]{1,64}$/;
/** Numbers, short codes, names, addresses of other channels such as `whatsapp:+15550100`. */
const addressPattern = /^[^/\s\p{Cc}]{1,200}$/u;

function unsupported(reason: string): InboundEvent {
  return { kind: 'unsupported', reason };
}

function readText(read: ReadParameter): string {
  const said = read('Body') ?? read('ButtonText') ?? read('ListTitle');
  return [said, readLocation(read)].filter((piece) => piece !== undefined).join('\n');
}

/** A place that was shared on WhatsApp, in words. */
function readLocation(read: ReadParameter): string | undefined {
  const [latitude, longitude] = [read('Latitude'), read('Longitude')];
  if (!latitude || !longitude) return undefined;
  const name = [read('Label'), read('Address')].filter((piece) => piece !== undefined).join(', ');
  return name === '' ? `${latitude}, ${longitude}` : `${name} (${latitude}, ${longitude})`;
}

const mediaMax = 10; // as many as Twilio puts into a message

function readAttachments(read: ReadParameter): InboundAttachment[] {
  const attachments: InboundAttachment[] = [];
  for (let number = 0; number < mediaMax; number++) {
    const url = read(`MediaUrl${number}`);
    if (url === undefined) continue;
    const contentType = read(`MediaContentType${number}`) ?? 'application/octet-stream';
    attachments.push({ name: nameFor(contentType, number + 1), contentType, source: { url } });
  }
  return attachments;
}

/** Twilio tells no names of files. */
function nameFor(contentType: string, number: number): string {
  const [kind = 'file', subtype = ''] = contentType.toLowerCase().split(/[/;\s]/);
  const extension = extensions.get(subtype) ?? (/^[a-z0-9]{2,5}$/.test(subtype) ? subtype : undefined);
  const name = `${namedKinds.has(kind) ? kind : 'file'}-${number}`;
  return extension === undefined ? name : `${name}.${extension}`;
}

const namedKinds = new Set(['image', 'audio', 'video']);
const extensions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    jpeg: 'jpg',
    mpeg: 'mp3',
    plain: 'txt',
    quicktime: 'mov',
    '3gpp': '3gp',
    vcard: 'vcf',
    'x-vcard': 'vcf',
    'vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  }),
);

const profileLengthMax = 200;

function readProfile(read: ReadParameter): Record<string, string> {
  return pick(read, profileLengthMax, { name: 'ProfileName', country: 'FromCountry' });
}

function readDetails(read: ReadParameter): Record<string, string> {
  return pick(read, 1_000, {
    messageSid: 'MessageSid',
    accountSid: 'AccountSid',
    messagingServiceSid: 'MessagingServiceSid',
    from: 'From',
    to: 'To',
    numSegments: 'NumSegments',
    numMedia: 'NumMedia',
    optOutType: 'OptOutType',
    buttonPayload: 'ButtonPayload',
    listId: 'ListId',
    repliedToSid: 'OriginalRepliedMessageSid',
  });
}

function pick(
  read: ReadParameter,
  lengthMax: number,
  names: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, parameter]) => {
      const value = read(parameter);
      return value === undefined ? [] : [[name, value.slice(0, lengthMax)]];
    }),
  );
}
