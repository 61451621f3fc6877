import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Channel, Gateway, OutboundMessage } from '#gateways/gateway.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import { withContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { WakeQueue, WakeUpData } from '#queue/job.ts';
import type { DeliveryJournal, DeliveryOutcome, OpenDelivery } from './delivery-journal.ts';

export type DeliverParts = {
  journal: DeliveryJournal;
  claimMs: number;
  openChannel: (tenantId: Uuid, channelId: Uuid) => Promise<Channel | undefined>;
  gatewayOf: (platform: Channel['platform']) => Gateway | undefined;
  queue: WakeQueue;
  logger: Logger;
  metrics: Metrics;
  /** Aborts when no more work is to be begun. */
  draining: AbortSignal;
};

const deliveriesPerWakeUp = 20;
const attemptsMax = 8;
const backoffMsMax = 60_000;
/** A send gets so much of its claim's time, so that its outcome is recorded while the claim still holds. */
const sendShareOfClaim = 2 / 3;

/** Sends what waits to go out of a conversation, in order. */
export function createDeliver(parts: DeliverParts): (data: WakeUpData) => Promise<void> {
  return (data) =>
    withContext(data, async () => {
      const at = { tenantId: data.tenantId as Uuid, conversationId: data.conversationId as Uuid };
      if (parts.draining.aborted) return;
      let delivery = await parts.journal.begin(at.tenantId, at.conversationId);
      for (let sent = 1; delivery && sent <= deliveriesPerWakeUp; sent++) {
        const outcome = await send(parts, delivery);
        const recorded = await parts.journal.record(delivery, outcome);
        report(parts, delivery, outcome, recorded !== undefined);
        delivery = recorded?.next;
      }
      // The claim of a delivery that this wake-up did not get to runs out, and another one takes it.
      if (delivery) await parts.queue.wake({ kind: 'delivery', ...at });
    });
}

async function send(parts: DeliverParts, delivery: OpenDelivery): Promise<DeliveryOutcome> {
  const startedAt = performance.now();
  try {
    const channel = await parts.openChannel(delivery.tenantId, delivery.channel.id);
    if (!channel) throw new TypeError('The delivery names a channel that is not there.');
    const gateway = parts.gatewayOf(channel.platform);
    if (!gateway)
      throw new GatewayError('unavailable', `This process has no gateway for ${channel.platform}.`);
    const inTime = AbortSignal.timeout(Math.round(parts.claimMs * sendShareOfClaim));
    const { externalIds } = await gateway.send(channel, describe(delivery), inTime);
    return { state: 'sent', externalIds };
  } catch (error) {
    return decideAfterFailure(error, delivery);
  } finally {
    parts.metrics.deliveryTook(delivery.channel.platform, (performance.now() - startedAt) / 1_000);
  }
}

function describe(delivery: OpenDelivery): OutboundMessage {
  const { message, conversation, participant } = delivery;
  return {
    deliveryId: delivery.deliveryId,
    messageId: message.id,
    turnId: delivery.turnId ?? undefined,
    attempt: delivery.attempt,
    interrupted: delivery.interrupted,
    role: message.role,
    text: message.text,
    content: message.content,
    conversationId: conversation.id,
    conversationExternalId: conversation.externalId,
    participantExternalId: participant.externalId,
    externalIds: delivery.externalIds,
  };
}

function decideAfterFailure(error: unknown, delivery: OpenDelivery): DeliveryOutcome {
  const code = error instanceof AppError ? error.code : 'internal';
  const described = { code, reason: error instanceof Error ? error.message : String(error) };
  const mayPass = !(error instanceof AppError) || error.retry === 'later';
  if (!mayPass || delivery.attempt >= attemptsMax) return { state: 'failed', error: described };
  const asked = (error as { retryAfterMs?: number }).retryAfterMs ?? 0;
  return {
    state: 'pending',
    delayMs: Math.max(asked, Math.min(1_000 * 2 ** (delivery.attempt - 1), backoffMsMax)),
    error: described,
  };
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
      return;
    case 'pending':
      logger.warn(
        { ...fields, ...outcome.error, delayMs: outcome.delayMs },
        'a delivery failed and will be tried again',
      );
      return;
    case 'failed':
      metrics.undeliverable(platform, outcome.error.code);
      logger.error({ ...fields, ...outcome.error }, 'a delivery failed for good');
  }
}
