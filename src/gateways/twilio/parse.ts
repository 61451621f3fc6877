import type { OpenChannel, ParsedWebhook, RawRequest, Verified } from '../gateway.ts';
import type { ConsentTexts } from './consent.ts';
import { parametersOf } from './form.ts';
import { parseMessage } from './parse-message.ts';
import { parseStatus } from './parse-status.ts';
import { settingsOf } from './settings.ts';
import { emptyAnswer } from './twiml.ts';

/** What a request says to the channel that it is for: one event, and TwiML that says nothing. */
export function parseWebhook(
  request: Verified<RawRequest>,
  channel: OpenChannel,
  texts: ConsentTexts,
): ParsedWebhook {
  const read = parametersOf(request);
  const { accountSid } = settingsOf(channel);
  const isForeign = accountSid !== undefined && read('AccountSid') !== accountSid;
  const event = isForeign
    ? ({ kind: 'unsupported', reason: 'something of another account' } as const)
    : request.endpoint === 'status'
      ? parseStatus(read, request.urls[0], channel)
      : parseMessage(read, channel, texts);
  return { events: [event], reply: emptyAnswer };
}
