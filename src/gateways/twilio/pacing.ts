import { isWhatsApp } from './places.ts';
import type { TwilioAccount } from './settings.ts';

/**
 * What may be handed over at once: Twilio's own queue sends it on at the carrier's pace, and in order. A long answer is
 * less than that; a campaign is more.
 */
const burstSegments = 60;

/**
 * How fast segments may go out by a sender. Twilio keeps what comes faster in a queue of its own, which overflows (21611)
 * and in which a message grows old; so what can be known of the pace is kept here.
 * https://www.twilio.com/docs/messaging/guides/understanding-twilio-rate-limits-and-message-queues
 */
export function pacingOf(
  { accountSid }: TwilioAccount,
  sender: string,
): { key: string; intervalMs: number; burst: number } {
  return {
    key: `twilio/${accountSid}/${sender}`,
    intervalMs: intervalMsOf(sender),
    burst: burstSegments,
  };
}

function intervalMsOf(sender: string): number {
  if (isWhatsApp(sender)) return 1_000 / 80;
  // Spreads over numbers that are not known here.
  if (sender.startsWith('MG')) return 10;
  const isShortCode = /^\d{4,8}$/.test(sender);
  return isShortCode ? 10 : 1_000;
}
