import type { MessagingService, SenderNumber } from './world.ts';

export type OptOutType = 'STOP' | 'START' | 'HELP';

/** https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: one word alone, in any case. */
const words: Record<OptOutType, readonly string[]> = {
  STOP: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'],
  START: ['START', 'YES', 'UNSTOP'],
  HELP: ['HELP', 'INFO'],
};

const replies: Record<OptOutType, string> = {
  STOP: 'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.',
  START:
    'You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
  HELP: 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
};

export type Consent = ReturnType<typeof createConsent>;

/**
 * Twilio's own block list: a person and a number, or a person and a whole service when the number is in one's pool.
 * Standalone short codes and WhatsApp senders have none; Advanced Opt-Out of a service gives them one.
 */
export function createConsent() {
  const blocked = new Set<string>();

  return {
    /** Reads what a person wrote. `reply`: what Twilio itself answers. */
    hear(
      to: SenderNumber,
      service: MessagingService | undefined,
      person: string,
      body: string,
    ): { type: OptOutType; reply: string | undefined } | undefined {
      if (to.kind !== 'long_code' && !service?.advancedOptOut) return undefined;
      const type = typeOf(body);
      if (!type) return undefined;
      const key = place(to, service, person);
      const wasBlocked = blocked.has(key);
      if (type === 'STOP') blocked.add(key);
      if (type === 'START') blocked.delete(key);
      // A plain "yes" of somebody who never opted out is an answer to a question.
      return { type, reply: type === 'START' && !wasBlocked ? undefined : replies[type] };
    },
    isBlocked: (from: SenderNumber, service: MessagingService | undefined, person: string) =>
      blocked.has(place(from, service, person)),
  };
}

function typeOf(body: string): OptOutType | undefined {
  const word = body.trim().toUpperCase();
  if (words.STOP.includes(word)) return 'STOP';
  if (words.START.includes(word)) return 'START';
  return words.HELP.includes(word) ? 'HELP' : undefined;
}

function place(sender: SenderNumber, service: MessagingService | undefined, person: string): string {
  return `${service?.sid ?? sender.number} ${person}`;
}
