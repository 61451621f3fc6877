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
