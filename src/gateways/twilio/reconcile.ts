import type { ListedMessage } from './api.ts';
import type { Part } from './plan.ts';
import { oneLine } from './window.ts';

/** Clocks of Twilio's and ours may differ by so much. */
const clockToleranceMs = 60_000;

/** What may have been sent by the attempt that was interrupted, oldest first. */
export function candidatesOf(
  listed: readonly ListedMessage[],
  message: { createdAt: Date; externalIds: readonly string[] },
  messagingService: string | undefined,
): ListedMessage[] {
  const sinceMs = message.createdAt.getTime() - clockToleranceMs;
  return listed
    .filter(
      (sent) =>
        sent.isOutbound &&
        sent.createdAt.getTime() >= sinceMs &&
        (messagingService === undefined || sent.messagingServiceSid === messagingService) &&
        !message.externalIds.includes(sent.sid),
    )
    .reverse()
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}

/**
 * Which of the candidates are the parts that come next, in their order, up to the first that is not there: parts go out
 * one after the other. `mayBeTemplate`: a template has the text somewhere within, on one line.
 */
export function matchParts(
  parts: readonly Part[],
  candidates: readonly ListedMessage[],
  mayBeTemplate: boolean,
): ListedMessage[] {
  const left = [...candidates];
  const found: ListedMessage[] = [];
  for (const part of parts) {
    const exact = left.findIndex((sent) => isPart(sent, part));
    const at = exact === -1 && mayBeTemplate ? left.findIndex((sent) => isAround(sent, part)) : exact;
    if (at === -1) break;
    found.push(...left.splice(at, 1));
  }
  return found;
}

function isPart({ body, mediaCount }: ListedMessage, { text, media }: Part): boolean {
  return text === '' ? said(body) === '' && mediaCount === media.length : said(body) === said(text);
}

function isAround({ body }: ListedMessage, { text }: Part): boolean {
  return text !== '' && oneLine(said(body)).includes(oneLine(said(text)));
}

/** Twilio puts this before everything that a trial account sends. */
const trialPrefix = 'Sent from your Twilio trial account - ';

/** Without what Twilio itself changes: that prefix, and the characters that "smart encoding" makes cheaper. */
function said(text: string): string {
  return (text.startsWith(trialPrefix) ? text.slice(trialPrefix.length) : text)
    .replace(/[‘’‚‛′]/g, "'")
    .replace(/[“”„‟″]/g, '"')
    .replace(/[‐‑‒–—―−]/g, '-')
    .replaceAll('…', '...')
    .replace(/[\u00a0\u2000-\u200a\u202f]/g, ' ')
    .trim();
}
