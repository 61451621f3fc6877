import type { ConsentChange, InboundMessage, OpenChannel } from '../gateway.ts';
import { type ConsentWord, readConsentWord } from './consent-words.ts';
import type { ReadParameter } from './form.ts';
import { isWhatsApp, type TwilioPlace } from './places.ts';
import { optOutOf, senderOf } from './settings.ts';

/** What is said to somebody who stops, begins again or asks who is there, where nobody has said it otherwise. */
export type ConsentTexts = Readonly<Record<ConsentWord, string>>;

/** Marks a message as the confirmation of a choice, which may be sent to somebody who has just opted out. */
const consentNotice = { consentNotice: true } as const;

export function isConsentNotice(content: Readonly<Record<string, unknown>>): boolean {
  return content['consentNotice'] === true;
}

type ConsentParts = Pick<InboundMessage, 'needsAnswer' | 'consent' | 'systemReply'>;

/**
 * What a message says about whether its sender wants messages, and what to answer it with; `undefined`: nothing. What
 * Twilio has seen in it goes before the word, and means that Twilio has answered already.
 */
export function readConsent(
  read: ReadParameter,
  text: string,
  place: TwilioPlace,
  channel: OpenChannel,
  texts: ConsentTexts,
): ConsentParts | undefined {
  const settings = optOutOf(channel);
  const seenByTwilio = optOutTypes.get(read('OptOutType')?.toUpperCase() ?? '');
  const word = seenByTwilio ?? readConsentWord(text, settings);
  if (!word) return undefined;

  const ownText = { stop: settings.stopText, start: settings.startText, help: settings.helpText }[word];
  const answeredBy = settings.answeredBy ?? (isWhatsApp(place.ours) ? 'channel' : 'twilio');
  // Twilio's answer to HELP says nothing of whom it is about, so a text of the tenant's own goes out as well.
  const isAnswered =
    !seenByTwilio && (answeredBy === 'channel' || (word === 'help' && ownText !== undefined));
  return {
    needsAnswer: false,
    ...(word !== 'help' && { consent: changeOf(word, text, seenByTwilio !== undefined, place, channel) }),
    ...(isAnswered && { systemReply: { text: ownText ?? texts[word], content: consentNotice } }),
  };
}

const optOutTypes: ReadonlyMap<string, ConsentWord> = new Map([
  ['STOP', 'stop'],
  ['START', 'start'],
  ['HELP', 'help'],
]);

const sourceLengthMax = 40;

function changeOf(
  word: 'stop' | 'start',
  text: string,
  isSeenByTwilio: boolean,
  place: TwilioPlace,
  channel: OpenChannel,
): ConsentChange {
  return {
    sender: senderOf(channel, place.ours),
    recipient: place.theirs,
    state: word === 'stop' ? 'opted_out' : 'opted_in',
    // Twilio also takes whole sentences for a STOP, and a ledger is no place for those.
    source: isSeenByTwilio && text.length > sourceLengthMax ? word : text.trim().slice(0, sourceLengthMax),
  };
}
