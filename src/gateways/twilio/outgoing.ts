import type { FileStore } from '#files/file-store.ts';
import type { OpenChannel, OutboundMessage } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import type { ChannelPlace, ConsentLedger } from '../journey.ts';
import type { Pacer } from '../pacer.ts';
import type { TwilioApi } from './api.ts';
import { isWhatsApp, readPlace, type TwilioPlace } from './places.ts';
import { type Part, planParts } from './plan.ts';
import { countSegments } from './segments.ts';
import { accountOf, type SharedAccount, senderOf, settingsOf, type TwilioAccount } from './settings.ts';

export type SendParts = {
  sharedAccount?: SharedAccount | undefined;
  apiUrl?: string | undefined;
  publicUrl: () => string;
  consents: ConsentLedger;
  files: Pick<FileStore, 'sign'>;
  /**
   * Whether a message of Twilio's is recorded as a part of another delivery: two answers in the same words are not the
   * same message. Nothing is when absent.
   */
  isRecordedElsewhere?: (at: ChannelPlace, externalId: string, deliveryId: string) => Promise<boolean>;
  api: TwilioApi;
  pacer: Pacer;
  nowMs: () => number;
};

/** Everything that sending one message needs to know of it. */
export type Outgoing = {
  channel: OpenChannel;
  message: OutboundMessage;
  account: TwilioAccount;
  place: TwilioPlace;
  sender: string;
  planned: readonly Part[];
};

/** @throws {GatewayError} when it cannot be sent by anybody or to anybody */
export function describeOutgoing(parts: SendParts, channel: OpenChannel, message: OutboundMessage): Outgoing {
  const place = readPlace(message.conversationExternalId);
  if (!place)
    throw new GatewayError(
      'message_refused',
      'The conversation is not one between two addresses of Twilio’s.',
    );
  const whatsApp = isWhatsApp(place.theirs);
  const mayBeTemplate =
    whatsApp && settingsOf(channel).template !== undefined && message.turnId === undefined;
  return {
    channel,
    message,
    account: accountOf(channel, parts.sharedAccount, parts.apiUrl),
    place,
    sender: senderOf(channel, place.ours),
    planned: planParts(message, { whatsApp, mayBeTemplate }),
  };
}

/** What it is billed as until Twilio says; on WhatsApp, and with files, a message is one whatever its length. */
export function segmentsOf(part: Part | undefined, place: TwilioPlace): number {
  if (!part || isWhatsApp(place.theirs) || part.media.length > 0) return 1;
  return countSegments(part.text);
}

export function placeOf(channel: OpenChannel): ChannelPlace {
  return { tenantId: channel.tenantId, channelId: channel.id, platform: 'twilio' };
}
