import type { Message } from './messages.ts';
import type { SignatureChoice } from './webhooks.ts';
import { isWhatsApp } from './world.ts';

/** What a person sends to a number. */
export type IncomingText = {
  /** `+15550009` or `whatsapp:+15550009`. */
  from: string;
  to: string;
  body?: string;
  media?: readonly { contentType: string; bytes: Buffer | string }[];
  /** WhatsApp. */
  profileName?: string;
  buttonText?: string;
  buttonPayload?: string;
  /** More parameters, or others in place of the usual ones: Twilio adds some without notice. They are signed too. */
  params?: Readonly<Record<string, string>>;
  /** A sid that was used before: the very same message is told again. */
  sid?: string;
  /** So often it is told, besides attempts after failures. 1 when absent. */
  repeat?: number;
  /** Tells the repetitions all at once instead of one after the other. */
  atOnce?: boolean;
  signature?: SignatureChoice;
  /** Another address than the configured one. */
  url?: string;
};

/** The parameters of the webhook that tells of it. */
export function describeIncoming(apiUrl: string, message: Message, text: IncomingText): URLSearchParams {
  const { sid, accountSid, media } = message;
  const params = new URLSearchParams({
    SmsMessageSid: sid,
    NumMedia: String(media.length),
    SmsSid: sid,
    SmsStatus: 'received',
    Body: message.body,
    To: message.to,
    NumSegments: String(message.segments),
    MessageSid: sid,
    AccountSid: accountSid,
    From: text.from,
    ApiVersion: '2010-04-01',
  });
  if (message.messagingServiceSid !== undefined)
    params.set('MessagingServiceSid', message.messagingServiceSid);
  for (const [index, file] of media.entries()) {
    params.set(`MediaContentType${index}`, file.contentType);
    params.set(
      `MediaUrl${index}`,
      `${apiUrl}/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/${file.sid}`,
    );
  }
  const more = isWhatsApp(message.to) ? describeWhatsApp(text) : describeGeography(text);
  for (const [name, value] of Object.entries(more)) params.set(name, value);
  return params;
}

function describeWhatsApp({ from, profileName, buttonText, buttonPayload, media }: IncomingText) {
  const [first] = media ?? [];
  const type = buttonText !== undefined ? 'button' : (first?.contentType.split('/')[0] ?? 'text');
  return {
    MessageType: type,
    WaId: from.replace(/\D/g, ''),
    ...(profileName === undefined ? {} : { ProfileName: profileName }),
    ...(buttonText === undefined ? {} : { ButtonText: buttonText }),
    ...(buttonPayload === undefined ? {} : { ButtonPayload: buttonPayload }),
  };
}

/** Twilio sends these for every text, mostly empty. */
function describeGeography({ from, to }: IncomingText) {
  const places = (side: 'From' | 'To', number: string) => ({
    [`${side}City`]: '',
    [`${side}State`]: '',
    [`${side}Zip`]: '',
    [`${side}Country`]: countryOf(number),
  });
  return { ...places('From', from), ...places('To', to) };
}

function countryOf(number: string): string {
  const known: Readonly<Record<string, string>> = { '+1': 'US', '+44': 'GB', '+49': 'DE' };
  return Object.entries(known).find(([prefix]) => number.startsWith(prefix))?.[1] ?? '';
}
