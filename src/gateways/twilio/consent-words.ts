import type { OptOutSettings } from '@swarmgate/contract/channels/twilio.ts';

export type ConsentWord = 'stop' | 'start' | 'help';

/**
 * The words that carriers and Twilio know (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out). Without
 * `yes`, which they take for START from somebody who has opted out: from anybody else it is the commonest answer to a
 * question, and which of the two it is cannot be seen in the word. Twilio tells (`OptOutType`), and who wants it all the
 * same makes it a start word of their own.
 */
const knownWords: Readonly<Record<ConsentWord, readonly string[]>> = {
  stop: ['stop', 'stopall', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout', 'opt out', 'opt-out'],
  start: ['start', 'unstop'],
  help: ['help', 'info'],
};

/**
 * Whether a message is, as a whole, a word to stop, to begin again or to ask who is there: of those that everybody
 * knows, or of the `settings`. Case, width, and punctuation around it are ignored. STOP goes before all.
 */
export function readConsentWord(text: string, settings: OptOutSettings): ConsentWord | undefined {
  // No word is so long, and looking at a long text costs everybody else.
  if (text.length > textLengthMax) return undefined;
  const own = { stop: settings.stopWords, start: settings.startWords, help: settings.helpWords };
  const said = formsOf(text);
  return order.find((word) =>
    [...knownWords[word], ...(own[word] ?? [])].some((known) =>
      formsOf(known).some((form) => said.includes(form)),
    ),
  );
}

const textLengthMax = 120;

const order = ['stop', 'start', 'help'] as const;

/** As it is written and without what surrounds it: "?" may be a word of its own, and "STOP!" is STOP. */
function formsOf(text: string): string[] {
  const written = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  const bare = written.replace(/^[\p{P}\p{S}\p{Cf}\s]+|[\p{P}\p{S}\p{Cf}\s]+$/gu, '');
  return [written, bare].filter((form) => form !== '');
}
