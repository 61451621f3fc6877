import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from './http-client.ts';
import type { Journal, SentMedia } from './journal.ts';
import { fetchMedia } from './media.ts';
import { advance, type Message, type MessageStore, makeSid } from './messages.ts';
import type { SendQueue } from './queue.ts';
import { type Refusal, refuse } from './refusal.ts';
import { countSegments } from './segments.ts';
import { type ChosenPlan, isFailure, type StatusPlans, type StatusStep } from './status-plan.ts';
import type { ValidMessage } from './validate-message.ts';
import type { WebhookCaller } from './webhooks.ts';
import { isWhatsApp, type SenderNumber, type World } from './world.ts';

export type OutgoingParts = {
  world: World;
  store: MessageStore;
  journal: Journal;
  http: HttpClient;
  callWebhook: WebhookCaller;
  plans: StatusPlans;
  queueOf: (number: SenderNumber) => SendQueue;
  now: () => Date;
  closing: AbortSignal;
  track: (work: Promise<void>) => void;
};

export type MadeMessage = {
  /** As it was when it was made. */
  message: Message;
  /** All that is to be told of it has been told. */
  told: Promise<void>;
  /** Wait for `told` before the call is answered. */
  tellFirst: boolean;
  /** To be called once the call has been answered: only then the first status is told, unless `tellFirst`. */
  answered: () => void;
};

/** Makes a message, queues it at its number, and tells what becomes of it. */
export type SendMessage = (
  valid: ValidMessage,
  accountSid: string,
  direction: 'outbound-api' | 'outbound-reply',
) => MadeMessage | Refusal;

export function createSendMessage(parts: OutgoingParts): SendMessage {
  return (valid, accountSid, direction) => {
    const message = make(parts, valid, accountSid, direction);
    const segments = isWhatsApp(valid.to) || valid.mediaUrls.length > 0 ? 1 : countSegments(valid.body).count;
    if (message.from !== undefined) message.segments = segments;

    const left = Promise.withResolvers<readonly StatusStep[]>();
    const plan = parts.plans.next();
    const isQueued = parts.queueOf(valid.from).push(segments, async () => {
      message.from = valid.from.number;
      message.segments = segments;
      left.resolve(await leave(parts, message, valid, plan));
    });
    if (!isQueued && !valid.service) return refuse(21611);
    if (!isQueued) left.resolve([{ status: 'failed', errorCode: 30001 }]);
    parts.store.add(message);

    const answered = Promise.withResolvers<void>();
    if (plan.beforeAnswer) answered.resolve();
    const made = { ...message };
    const tell = teller(parts, message, valid.statusCallback);
    // What is told takes its time; the next message in the queue does not wait for that.
    const told = answered.promise.then(async () => {
      await tell(plan.onCreation);
      await tell(await left.promise);
    });
    parts.track(told);
    return { message: made, told, tellFirst: plan.beforeAnswer, answered: answered.resolve };
  };
}

function make(
  { now }: OutgoingParts,
  { to, from, isFromChosen, service, body, mediaUrls, content }: ValidMessage,
  accountSid: string,
  direction: 'outbound-api' | 'outbound-reply',
): Message {
  const at = now();
  return {
    sid: makeSid(mediaUrls.length > 0 ? 'MM' : 'SM'),
    accountSid,
    direction,
    from: isFromChosen ? undefined : from.number,
    to,
    body,
    status: service ? 'accepted' : 'queued',
    segments: 0,
    mediaCount: mediaUrls.length,
    media: [],
    messagingServiceSid: service?.sid,
    contentSid: content?.sid,
    contentVariables: content?.variables,
    errorCode: undefined,
    createdAt: at,
    updatedAt: at,
    sentAt: undefined,
  };
}

/** Takes a message out of its queue to the person; answers what is to be told of it. */
async function leave(
  parts: OutgoingParts,
  message: Message,
  valid: ValidMessage,
  plan: ChosenPlan,
): Promise<readonly StatusStep[]> {
  advance(message, 'sending', parts.now());
  const channel = isWhatsApp(message.to) ? 'whatsapp' : 'mms';
  const fetched = await fetchMedia(parts.http, valid.mediaUrls, channel);
  const errorCode = 'errorCode' in fetched ? fetched.errorCode : valid.failsWith;
  if (errorCode !== undefined || !('media' in fetched))
    return [{ status: 'failed', ...(errorCode ? { errorCode } : {}) }];

  message.media = fetched.media.map(({ contentType, bytes }) => ({ sid: makeSid('ME'), contentType, bytes }));
  message.sentAt = parts.now();
  if (!plan.afterwards.some(isFailure)) deliver(parts, message, valid.from.number, fetched.media);
  if (plan.afterwards.length === 0) advance(message, 'sent', parts.now());
  return plan.afterwards;
}

function deliver(parts: OutgoingParts, message: Message, from: string, media: readonly SentMedia[]): void {
  if (message.direction === 'inbound') return;
  parts.journal.sent.push({
    at: parts.now(),
    sid: message.sid,
    direction: message.direction,
    from,
    to: message.to,
    body: message.body,
    media,
    segments: message.segments,
    accountSid: message.accountSid,
    messagingServiceSid: message.messagingServiceSid,
    contentSid: message.contentSid,
    contentVariables: message.contentVariables,
  });
}

/** Moves a message on step by step, and calls its StatusCallback for each. */
function teller(
  { world, callWebhook, now, closing }: OutgoingParts,
  message: Message,
  url: string | undefined,
) {
  return async (steps: readonly StatusStep[]): Promise<void> => {
    for (const step of steps) {
      if (step.delayMs) await sleep(step.delayMs, undefined, { signal: closing }).catch(() => {});
      if (closing.aborted) return;
      advance(message, step.status, now(), step.errorCode);
      const authToken = world.account(message.accountSid)?.authToken;
      if (url === undefined || authToken === undefined) continue;
      const params = describeStatus(message, step, now());
      await callWebhook({ kind: 'status', url, authToken, messageSid: message.sid, params });
    }
  };
}

/** https://www.twilio.com/docs/messaging/guides/track-outbound-message-status#event-specific-parameters */
function describeStatus(message: Message, { status, errorCode }: StatusStep, at: Date): URLSearchParams {
  const params = new URLSearchParams({
    AccountSid: message.accountSid,
    ApiVersion: '2010-04-01',
    MessageSid: message.sid,
    MessageStatus: status,
    SmsSid: message.sid,
    SmsStatus: status,
    To: message.to,
  });
  if (message.from !== undefined) params.set('From', message.from);
  if (message.messagingServiceSid !== undefined)
    params.set('MessagingServiceSid', message.messagingServiceSid);
  if (errorCode !== undefined) params.set('ErrorCode', String(errorCode));
  if (isWhatsApp(message.to)) {
    params.set('ChannelPrefix', 'whatsapp');
    params.set('ChannelToAddress', message.to.replace(/\d{4}$/, 'XXXX'));
  } else if (status === 'delivered') {
    // YYMMDDhhmm
    params.set('RawDlrDoneDate', at.toISOString().replace(/\D/g, '').slice(2, 12));
  }
  return params;
}
