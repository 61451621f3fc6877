import type { FileStore } from '#files/file-store.ts';
import type { WebhookGateway } from '../gateway.ts';
import type { ConsentLedger } from '../journey.ts';
import type { Pacer } from '../pacer.ts';
import { createTwilioApi } from './api.ts';
import type { ConsentTexts } from './consent.ts';
import { endpoints, identifyAccounts } from './identify.ts';
import { openAttachment } from './open-attachment.ts';
import type { SendParts } from './outgoing.ts';
import { parseWebhook } from './parse.ts';
import { readAddress } from './places.ts';
import { sendMessage } from './send.ts';
import { type SharedAccount, settingsOf } from './settings.ts';
import { verifySignature } from './verify.ts';

export type TwilioGatewayParts = {
  /** The account of the environment, for channels without one of their own. */
  sharedAccount?: SharedAccount | undefined;
  /** Where the API is, when it is not Twilio's own address: a region, a proxy, a stand-in. */
  apiUrl?: string | undefined;
  /** Where Twilio reaches us. */
  publicUrl: () => string;
  consents: ConsentLedger;
  files: Pick<FileStore, 'sign'>;
  /** What is said where neither channel nor tenant nor organization has a text. */
  texts: ConsentTexts;
  /** Reaches the public internet and the addresses of the operator's, and nothing behind them. */
  fetch: typeof globalThis.fetch;
  isRecordedElsewhere?: SendParts['isRecordedElsewhere'];
  pacer: Pacer;
  nowMs?: () => number;
};

/** SMS, MMS and WhatsApp by Twilio: any number of accounts, numbers and messaging services in one process. */
export function createTwilioGateway(given: TwilioGatewayParts): WebhookGateway {
  const nowMs = given.nowMs ?? Date.now;
  const { isRecordedElsewhere, ...rest } = given;
  const parts: SendParts = {
    ...rest,
    ...(isRecordedElsewhere && { isRecordedElsewhere }),
    api: createTwilioApi(nowMs),
    pacer: given.pacer,
    nowMs,
  };
  return {
    platform: 'twilio',
    capabilities: { streaming: 'none' },
    endpoints,
    bodyBytesMax: 65_536,
    sharedApp: given.sharedAccount,
    ownApp: (channel) => settingsOf(channel).accountSid ?? '',
    verify: verifySignature,
    identify: identifyAccounts,
    parse: (request, channel) => parseWebhook(request, channel, given.texts),
    send: (channel, message, progress) => sendMessage(parts, channel, message, progress),
    readAddress,
    openAttachment: (channel, source, signal) => openAttachment(given, channel, source, signal),
  };
}
