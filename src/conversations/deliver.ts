import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Gateway, OpenChannel, OutboundMessage, Platform } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import type { ChannelKeeper } from '#gateways/journey.ts';
import { withContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { Served, WakeQueue, WakeUpData } from '#queue/job.ts';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';
import { tenantClosingCode } from '#tenancy/tenant-life.ts';
import { ChannelFullError, type ChannelSlots, type Invitation } from './channel-slots.ts';
import type { DeliveryDesk } from './delivery-desk.ts';
import type { DeliveryJournal, DeliveryOutcome, OpenDelivery } from './delivery-journal.ts';
import type { KeepAlive } from './keep-alive.ts';
import { settleDelivery } from './settle-delivery.ts';

export type DeliverParts = {
  journal: DeliveryJournal;
  claimMs: number;
  openChannel: (tenantId: Uuid, channelId: Uuid) => Promise<OpenChannel | undefined>;
  gatewayOf: (platform: Platform) => Gateway | undefined;
  keeper: Pick<ChannelKeeper, 'pause'>;
  slots: ChannelSlots;
  /** Where those that the slots call back are at work. */
  desk: Pick<DeliveryDesk, 'run'>;
  life: Pick<KeepAlive, 'isAlive' | 'signal'>;
  queue: WakeQueue;
  logger: Logger;
  metrics: Metrics;
  /** Aborts when no more work is to be begun. */
  draining: AbortSignal;
};

/** Another process has taken the delivery over, or the claim has run out: whoever has it now records what becomes of it. */
class ClaimLostError extends AppError<'claim_lost'> {
  override readonly name = 'ClaimLostError';

  constructor() {
    super('claim_lost', 'The claim of a delivery was lost while it was sent.', { retry: 'later' });
  }
}

const deliveriesPerWakeUp = 20;
/** How soon a channel that was paused is looked at again. */
const pausedRetryMs = 15_000;
/** A send gets so much of its claim's time, so that its outcome is recorded while the claim still holds. */
const sendShareOfClaim = 2 / 3;

/** Sends what waits to go out of a conversation, in order. */
export function createDeliver(parts: DeliverParts) {
  const sendAll = async (
    at: Place,
    claimed: OpenDelivery | undefined,
    claimAskedAt: number,
    invitation?: Invitation,
  ) => {
    let askedAt = claimAskedAt;
    let delivery = claimed;
    let sent = 0;
    while (delivery) {
      sent += 1;
      const { outcome, isTurnedAway } = await send(parts, delivery, askedAt, invitation);
      const claimedUntil = askedAt + parts.claimMs;
      askedAt = performance.now();
      const takeNext = sent < deliveriesPerWakeUp && !parts.draining.aborted;
      const recorded = await record(parts, delivery, { outcome, takeNext, claimedUntil });
      report(parts, delivery, outcome, recorded !== undefined);
      if (isTurnedAway && recorded)
        lineUp(at, delivery.channel.id, { deliveryId: delivery.deliveryId, claim: delivery.claim });
      delivery = recorded?.next;
    }
    // Each was charged for when it was made.
    if (sent === deliveriesPerWakeUp) await parts.queue.wake({ kind: 'delivery', ...at });
  };

  const begin = ({ tenantId, conversationId }: Place, putOff: PutOff | undefined) =>
    putOff
      ? parts.journal.beginPutOff({ tenantId, conversationId, ...putOff })
      : parts.journal.begin(tenantId, conversationId);

  // Of what is in line nothing is kept but what names it.
  const lineUp = (at: Place, channelId: Uuid, putOff?: PutOff) => {
    const comeBack = async (invitation: Invitation) => {
      const askedAt = performance.now();
      await sendAll(at, await begin(at, putOff), askedAt, invitation);
    };
    const onPlace = (invitation: Invitation) =>
      withContext(at, () => parts.desk.run(() => comeBack(invitation)));
    // What goes before another one of the same conversation brings that along.
    parts.slots.lineUp(channelId, at.conversationId, onPlace, putOff !== undefined);
  };

  return {
    /** What a wake-up asks for. */
    onWakeUp: (data: WakeUpData): Promise<Served | undefined> =>
      withContext(data, async () => {
        const at = { tenantId: data.tenantId as Uuid, conversationId: data.conversationId as Uuid };
        if (parts.draining.aborted) return undefined;
        const askedAt = performance.now();
        await sendAll(at, await begin(at, undefined), askedAt);
        return undefined;
      }),

    /** Sends what waits in a conversation once its channel, which is full, has a place for it. */
    lineUp: (at: Place, channelId: Uuid): void => lineUp(at, channelId),

    /** Sends one that was claimed when it was made, and what has come behind it. `askedAt`: when its claim was asked for. */
    send: (delivery: OpenDelivery, askedAt: number): Promise<void> => {
      const at = { tenantId: delivery.tenantId, conversationId: delivery.conversation.id };
      return withContext(at, () => sendAll(at, delivery, askedAt));
    },
  };
}

type Place = { tenantId: Uuid; conversationId: Uuid };

/** A delivery that is not due yet, and the claim under which it was put off. */
type PutOff = Pick<OpenDelivery, 'deliveryId' | 'claim'>;

/** `isTurnedAway`: its channel had no place for it. */
type Attempt = { outcome: DeliveryOutcome; isTurnedAway: boolean };

/** `askedAt`: when its claim was asked for; by our clock it holds from then on at the earliest. */
async function send(
  parts: DeliverParts,
  delivery: OpenDelivery,
  askedAt: number,
  invitation: Invitation | undefined,
): Promise<Attempt> {
  const startedAt = performance.now();
  const leftMs = askedAt + parts.claimMs - startedAt;
  // A worker that others take for dead sends nothing: somebody else does.
  const inTime = AbortSignal.timeout(Math.max(0, Math.round(leftMs * sendShareOfClaim)));
  const signal = AbortSignal.any([inTime, parts.life.signal()]);
  let channel: OpenChannel | undefined;
  try {
    channel = await parts.openChannel(delivery.tenantId, delivery.channel.id);
    if (!channel) throw new TypeError('The delivery names a channel that is not there.');
    if (channel.tenantStatus === 'closing' || channel.tenantStatus === 'deleting')
      return { outcome: putOffWhileClosing(delivery), isTurnedAway: false };
    if (channel.status === 'paused')
      throw new GatewayError('not_now', 'The channel is paused.', { retryAfterMs: pausedRetryMs });
    const gateway = parts.gatewayOf(channel.platform);
    if (!gateway)
      throw new GatewayError('unavailable', `This process has no gateway for ${channel.platform}.`);
    if (!parts.life.isAlive()) throw new GatewayError('not_now', 'This worker is taken for dead.');
    const open = channel;
    const work = () =>
      gateway.send(open, describe(delivery), {
        signal,
        async keepPart(number, externalId, details) {
          if (!(await parts.journal.keepPart(delivery, number, externalId, details?.segments)))
            throw new ClaimLostError();
        },
      });
    const { externalIds, uncertain = false } = await parts.slots.within(channel.id, work, invitation);
    return { outcome: { state: 'sent', externalIds, doubled: uncertain }, isTurnedAway: false };
  } catch (error) {
    const outcome =
      channel && error instanceof GatewayError && error.channelFault !== undefined
        ? await pauseChannel(parts, channel, delivery, error)
        : settleDelivery(error, delivery, performance.now() - startedAt);
    return { outcome, isTurnedAway: error instanceof ChannelFullError };
  } finally {
    parts.metrics.deliveryTook(delivery.channel.platform, (performance.now() - startedAt) / 1_000);
  }
}

/** How soon a delivery of a tenant that is closing is looked at again. If it is reopened, that wakes it. */
const closingRetryMs = 60 * 60_000;

// For as long as it takes: if the tenant is reopened, everything is as it was.
function putOffWhileClosing({ interrupted }: OpenDelivery): DeliveryOutcome {
  const error = { code: tenantClosingCode, reason: 'The tenant is closing.' };
  return { state: 'pending', delayMs: closingRetryMs, deferred: true, uncertain: interrupted, error };
}

const recordAgainMs = 250;

/**
 * Records what became of a delivery; while the database is away, again and again for as long as the claim holds. Otherwise
 * it would lie claimed until then, and what was sent would have to be looked for, or sent twice.
 */
async function record(
  { journal }: DeliverParts,
  delivery: OpenDelivery,
  { outcome, takeNext, claimedUntil }: { outcome: DeliveryOutcome; takeNext: boolean; claimedUntil: number },
): Promise<{ next: OpenDelivery | undefined } | undefined> {
  for (;;) {
    try {
      return await journal.record(delivery, outcome, takeNext);
    } catch (error) {
      const mayPass = error instanceof StorageUnavailableError;
      if (!mayPass || performance.now() + recordAgainMs > claimedUntil) throw error;
    }
    await pause(recordAgainMs);
  }
}

function describe(delivery: OpenDelivery): OutboundMessage {
  const { message, conversation, participant, lastInboundAtMs } = delivery;
  return {
    deliveryId: delivery.deliveryId,
    messageId: message.id,
    turnId: delivery.turnId ?? undefined,
    attempt: delivery.attempt,
    interrupted: delivery.interrupted,
    role: message.role,
    text: message.text,
    content: message.content,
    attachments: (message.content['attachments'] ?? []) as OutboundMessage['attachments'],
    createdAt: new Date(delivery.createdAtMs),
    lastInboundAt: lastInboundAtMs === null ? undefined : new Date(lastInboundAtMs),
    conversationId: conversation.id,
    conversationExternalId: conversation.externalId,
    participantExternalId: participant.externalId,
    externalIds: delivery.externalIds,
  };
}

// What waits goes out once the channel is mended.
async function pauseChannel(
  { keeper, logger }: DeliverParts,
  channel: OpenChannel,
  delivery: OpenDelivery,
  error: GatewayError,
): Promise<DeliveryOutcome> {
  logger.warn(
    { code: error.code, reason: error.channelFault },
    'a channel is paused: its platform refuses it',
  );
  await keeper.pause(channel, error.channelFault ?? '').catch((err: unknown) => {
    logger.warn({ err }, 'the channel could not be paused; the next attempt will');
  });
  const waiting = new GatewayError('not_now', error.message, { retryAfterMs: pausedRetryMs });
  return settleDelivery(waiting, delivery, 0);
}

/** `code`: ours, with the platform's own behind a slash if it gave one. */
function isRefusal(code: string): boolean {
  return /^gateway_(?:recipient_opted_out|outside_window)(?:\/|$)/.test(code);
}

function report(
  { logger, metrics }: DeliverParts,
  delivery: OpenDelivery,
  outcome: DeliveryOutcome,
  recorded: boolean,
): void {
  const { platform } = delivery.channel;
  const fields = { deliveryId: delivery.deliveryId, attempt: delivery.attempt };
  if (!recorded) {
    logger.warn(fields, 'the claim of a delivery was lost before its outcome was recorded');
    return;
  }
  switch (outcome.state) {
    case 'sent':
      metrics.delivered(platform);
      if (outcome.doubled) {
        metrics.doubled(platform);
        logger.warn(fields, 'a delivery may stand on its platform twice: an earlier attempt was interrupted');
      }
      return;
    case 'pending':
      if (outcome.deferred)
        logger.debug({ ...fields, ...outcome.error, delayMs: outcome.delayMs }, 'a delivery was put off');
      else
        logger.warn(
          { ...fields, ...outcome.error, delayMs: outcome.delayMs },
          'a delivery failed and will be tried again',
        );
      return;
    case 'failed':
      metrics.undeliverable(platform, outcome.error.code);
      // That somebody wants no messages is what they said, and no fault.
      if (isRefusal(outcome.error.code))
        logger.info({ ...fields, ...outcome.error }, 'a delivery was not made');
      else logger.error({ ...fields, ...outcome.error }, 'a delivery failed for good');
  }
}
