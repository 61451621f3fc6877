import { randomBytes } from 'node:crypto';

export type MessageStatus =
  | 'accepted'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'undelivered'
  | 'failed'
  | 'received';

export type MediaFile = { sid: string; contentType: string; bytes: Buffer };

export type Message = {
  sid: string;
  accountSid: string;
  direction: 'inbound' | 'outbound-api' | 'outbound-reply';
  /** `undefined` while a messaging service has not chosen a number. */
  from: string | undefined;
  to: string;
  body: string;
  status: MessageStatus;
  /** 0 while a messaging service has not chosen a number. */
  segments: number;
  mediaCount: number;
  media: MediaFile[];
  messagingServiceSid: string | undefined;
  contentSid: string | undefined;
  contentVariables: string | undefined;
  errorCode: number | undefined;
  createdAt: Date;
  updatedAt: Date;
  sentAt: Date | undefined;
};

export type MessageStore = ReturnType<typeof createMessageStore>;

/** Every message that an account's log shows. */
export function createMessageStore() {
  const bySid = new Map<string, Message>();
  return {
    add: (message: Message) => void bySid.set(message.sid, message),
    find: (accountSid: string, sid: string) => {
      const message = bySid.get(sid);
      return message?.accountSid === accountSid ? message : undefined;
    },
    /** Newest first. */
    ofAccount: (accountSid: string) =>
      [...bySid.values()].filter((message) => message.accountSid === accountSid).reverse(),
  };
}

/** A sid: its kind in two letters and 32 hexadecimal digits. */
export function makeSid(kind: 'SM' | 'MM' | 'ME' | 'PA'): string {
  return kind + randomBytes(16).toString('hex');
}

/** Moves a message on in its life. What comes late does not take it back. */
export function advance(message: Message, status: MessageStatus, at: Date, errorCode?: number): void {
  if (order.indexOf(status) < order.indexOf(message.status)) return;
  message.status = status;
  message.updatedAt = at;
  if (errorCode !== undefined) message.errorCode = errorCode;
}

const order: readonly MessageStatus[] = [
  'accepted',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'undelivered',
  'failed',
];

/** The Message resource. https://www.twilio.com/docs/messaging/api/message-resource */
export function describeMessage(message: Message) {
  const { accountSid, sid } = message;
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: rfc2822(message.createdAt),
    date_sent: message.sentAt ? rfc2822(message.sentAt) : null,
    date_updated: rfc2822(message.updatedAt),
    direction: message.direction,
    error_code: message.errorCode ?? null,
    error_message: message.errorCode === undefined ? null : `Error ${message.errorCode}`,
    from: message.from ?? null,
    messaging_service_sid: message.messagingServiceSid ?? null,
    num_media: String(message.mediaCount),
    num_segments: String(message.segments),
    price: null,
    price_unit: 'USD',
    sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

/** `Thu, 24 Aug 2023 05:01:45 +0000` (RFC 2822, always in GMT). */
export function rfc2822(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
