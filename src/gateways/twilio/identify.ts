import type { Identified, RawRequest, Verified } from '../gateway.ts';
import { parametersOf } from './form.ts';
import { emptyAnswer } from './twiml.ts';

/**
 * Whose channel a request is for: the messaging service's when there is one, else (a service may be nobody's own, as
 * with numbers that are pooled for A2P) the number's of ours.
 */
export function identifyAccounts(request: Verified<RawRequest>): Identified {
  const read = parametersOf(request);
  const number = ourNumberParameters[request.endpoint];
  const accounts = [
    { kind: 'messaging_service', key: read('MessagingServiceSid') },
    { kind: 'number', key: number && read(number) },
  ].flatMap(({ kind, key }) => (key === undefined ? [] : [{ kind, key }]));
  // Signed, and about no message: something else of the account's that was pointed here.
  return accounts.length === 0 ? { kind: 'reply', reply: emptyAnswer } : { kind: 'accounts', accounts };
}

/** Where Twilio calls, and what our number is called there: the one that was written to, the one that had written. */
const ourNumberParameters: Readonly<Record<string, string>> = { messages: 'To', status: 'From' };

export const endpoints = Object.keys(ourNumberParameters);
