import type { Consent } from './consent.ts';
import { describeIncoming, type IncomingText } from './incoming-text.ts';
import type { Delivery, Journal } from './journal.ts';
import { type Message, type MessageStore, makeSid } from './messages.ts';
import type { SendMessage } from './outgoing.ts';
import { isRefusal } from './refusal.ts';
import { countSegments } from './segments.ts';
import { readTwiml, type Twiml } from './twiml.ts';
import { type ValidationParts, validateMessage } from './validate-message.ts';
import type { WebhookCaller } from './webhooks.ts';
import { isWhatsApp, type MessagingService, type SenderNumber } from './world.ts';

export type InboundParts = ValidationParts & {
  store: MessageStore;
  consent: Consent;
  journal: Journal;
  callWebhook: WebhookCaller;
  sendMessage: SendMessage;
  /** Notes that a person has written: opens WhatsApp's window, and makes the number the person's own in a service. */
  noteWriting: (to: string, from: string) => void;
  apiUrl: () => string;
  now: () => Date;
};

/**
 * Tells a customer of a message as Twilio does, and reads the answer. Answers every attempt, in order.
 * https://www.twilio.com/docs/messaging/guides/webhook-request
 */
export function createReceiveText(parts: InboundParts): (text: IncomingText) => Promise<Delivery[]> {
  const { world } = parts;
  const toldBefore = new Map<string, URLSearchParams>();

  return async (text) => {
    const number = world.number(text.to);
    const account = number && world.account(number.accountSid);
    if (!number || !account) throw new TypeError(`${text.to} is nobody's number.`);
    const service = world.serviceOf(number);

    const again = text.sid === undefined ? undefined : parts.store.find(account.accountSid, text.sid);
    const message = again ?? receive(parts, text, number, service);
    const params = new URLSearchParams(
      toldBefore.get(message.sid) ?? describeIncoming(parts.apiUrl(), message, text),
    );
    if (!again) hear(parts, number, service, message, params);
    for (const [name, value] of Object.entries(text.params ?? {})) params.set(name, value);
    toldBefore.set(message.sid, params);

    const url = text.url ?? service?.inboundUrl ?? number.smsUrl;
    if (url === undefined) return [];
    const tell = async () => {
      const { signature = 'right' } = text;
      const { authToken } = account;
      const webhook = {
        kind: 'message',
        url,
        authToken,
        messageSid: message.sid,
        params,
        signature,
      } as const;
      const deliveries = await parts.callWebhook(webhook);
      obey(parts, deliveries.at(-1), message);
      return deliveries;
    };
    const times = Array.from({ length: text.repeat ?? 1 });
    if (text.atOnce) return (await Promise.all(times.map(tell))).flat();
    const deliveries: Delivery[] = [];
    for (const _ of times) deliveries.push(...(await tell()));
    return deliveries;
  };
}

function receive(
  { store, noteWriting, now }: InboundParts,
  text: IncomingText,
  number: SenderNumber,
  service: MessagingService | undefined,
): Message {
  const at = now();
  const body = text.body ?? '';
  const media = (text.media ?? []).map(({ contentType, bytes }) => ({
    sid: makeSid('ME'),
    contentType,
    bytes: Buffer.from(bytes),
  }));
  const message: Message = {
    sid: text.sid ?? makeSid(media.length > 0 ? 'MM' : 'SM'),
    accountSid: number.accountSid,
    direction: 'inbound',
    from: text.from,
    to: text.to,
    body,
    status: 'received',
    segments: isWhatsApp(text.to) ? 1 : countSegments(body).count,
    mediaCount: media.length,
    media,
    messagingServiceSid: service?.sid,
    contentSid: undefined,
    contentVariables: undefined,
    errorCode: undefined,
    createdAt: at,
    updatedAt: at,
    sentAt: at,
  };
  store.add(message);
  noteWriting(text.to, text.from);
  return message;
}

/** Obeys STOP, START and HELP. */
function hear(
  { consent, journal }: InboundParts,
  number: SenderNumber,
  service: MessagingService | undefined,
  message: Message,
  params: URLSearchParams,
): void {
  const person = message.from ?? '';
  const heard = consent.hear(number, service, person, message.body);
  if (!heard) return;
  if (service?.advancedOptOut) params.set('OptOutType', heard.type);
  if (heard.reply === undefined) return;
  const { accountSid, to: from } = message;
  journal.twilioReplies.push({ accountSid, from, to: person, body: heard.reply });
}

/** Does what the answer to a message webhook asks for. */
function obey(parts: InboundParts, delivery: Delivery | undefined, message: Message): void {
  if (delivery?.status === undefined || delivery.status >= 300) return;
  const twiml = readTwiml(delivery.contentType, delivery.body);
  if (!twiml.valid) parts.journal.violate('twiml', twiml.reason);
  else for (const reply of twiml.messages) answer(parts, message, reply);
}

function answer(
  parts: InboundParts,
  message: Message,
  reply: Extract<Twiml, { valid: true }>['messages'][number],
): void {
  const form = new URLSearchParams({ From: message.to, To: message.from ?? '', Body: reply.body });
  for (const url of reply.mediaUrls) form.append('MediaUrl', url);
  const valid = validateMessage(parts, message.accountSid, form);
  // Of a reply that is refused Twilio tells its debugger alone.
  if (isRefusal(valid)) return;
  const made = parts.sendMessage(valid, message.accountSid, 'outbound-reply');
  if (!isRefusal(made)) made.answered();
}
