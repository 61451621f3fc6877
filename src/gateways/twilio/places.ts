import type { OpenChannel, ReachedPlace } from '../gateway.ts';
import { settingsOf } from './settings.ts';

/**
 * Where a conversation takes place: between an address of ours and a person's, each as Twilio writes it (`+15550001`,
 * `whatsapp:+15550001`, a short code).
 */
export type TwilioPlace = { ours: string; theirs: string };

/** `+15550001/+15550100`. */
export function writePlace({ ours, theirs }: TwilioPlace): string {
  return `${ours}/${theirs}`;
}

/** `undefined` when the text names no place. */
export function readPlace(text: string): TwilioPlace | undefined {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) return undefined;
  return { ours: text.slice(0, slash), theirs: text.slice(slash + 1) };
}

export function isWhatsApp(address: string): boolean {
  return address.startsWith('whatsapp:');
}

/**
 * A number, `+15550100` or `whatsapp:+15550100`, that a channel of ours writes to from its own. `undefined` for anything
 * else, and for WhatsApp from a number that is not one of WhatsApp's, or the other way round.
 */
export function readAddress(channel: OpenChannel, address: string): ReachedPlace | undefined {
  const { number, messagingService } = settingsOf(channel);
  const ours = number ?? messagingService;
  if (ours === undefined || !/^(?:whatsapp:)?\+[1-9]\d{6,14}$/.test(address)) return undefined;
  if (number !== undefined && isWhatsApp(number) !== isWhatsApp(address)) return undefined;
  return { conversationExternalId: writePlace({ ours, theirs: address }), participantExternalId: address };
}
