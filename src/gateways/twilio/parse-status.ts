import { fromWire } from '#domain/ids.ts';
import type { ConsentChange, InboundEvent, InboundStatus, OpenChannel } from '../gateway.ts';
import type { ReadParameter } from './form.ts';
import { readSegments } from './segments.ts';
import { senderOf } from './settings.ts';

/**
 * Reads what became of a message. https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
 * `address` is the signed address that was called: which delivery it is about stands there, see {@link statusAddress}.
 */
export function parseStatus(
  read: ReadParameter,
  address: string | undefined,
  channel: OpenChannel,
): InboundEvent {
  const externalId = read('MessageSid');
  const status = read('MessageStatus') ?? '';
  if (!externalId) return { kind: 'unsupported', reason: 'a status without a message' };
  if (onTheWay.has(status)) return { kind: 'unsupported', reason: 'a status that tells nothing new' };
  const state = states.get(status);
  if (!state) return { kind: 'unsupported', reason: 'a status of an unknown kind' };

  const delivery = readDelivery(address);
  const errorCode = read('ErrorCode');
  const segments = readSegments(read('NumSegments'));
  return {
    kind: 'status',
    externalId,
    state,
    ...(delivery && { delivery }),
    ...(errorCode !== undefined && errorCode !== '0' && { errorCode: errorCode.slice(0, 40) }),
    ...(segments !== undefined && { segments }),
    ...(errorCode === optedOutCode && { consent: optOut(read, channel) }),
  };
}

/** The person has opted out, and only Twilio heard of it. https://www.twilio.com/docs/api/errors/21610 */
const optedOutCode = '21610';

function optOut(read: ReadParameter, channel: OpenChannel): ConsentChange {
  const sender = senderOf(channel, read('From') ?? '');
  return { sender, recipient: read('To') ?? '', state: 'opted_out', source: optedOutCode };
}

/** Twilio has it and has not given it to the carrier: that it has it, its answer to the send has said. */
const onTheWay = new Set(['accepted', 'scheduled', 'queued', 'sending']);

const states: ReadonlyMap<string, InboundStatus['state']> = new Map([
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'read'],
  ['failed', 'failed'],
  ['undelivered', 'failed'],
  ['canceled', 'failed'],
]);

function readDelivery(address: string | undefined): InboundStatus['delivery'] {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { searchParams } = new URL(address);
  const id = fromWire('delivery', searchParams.get('delivery') ?? '');
  const part = Number(searchParams.get('part'));
  return id && Number.isInteger(part) && part >= 1 && part <= 1_000 ? { id, part } : undefined;
}
