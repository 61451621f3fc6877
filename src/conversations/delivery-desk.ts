import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import type { OpenDelivery } from './delivery-journal.ts';

export type DeliveryDeskParts = {
  send: (delivery: OpenDelivery, askedAt: number) => Promise<void>;
  logger: Logger;
  /** Aborts when no more work is to be begun. */
  draining: AbortSignal;
};

/** How many answers may be on their way at once; further ones go through the queue and wait there, each tenant in its turn. */
const atWorkMax = 100;

/**
 * Sends an answer right where it was made, without the way through the queue, and holds no place among the turns for it:
 * a platform that is slow slows down no agent.
 */
export function createDeliveryDesk({ send, logger, draining }: DeliveryDeskParts) {
  const atWork = new Set<Promise<void>>();

  return {
    hasRoom: () => atWork.size < atWorkMax && !draining.aborted,

    /** Takes over a delivery that the caller has claimed; `askedAt` is when it asked for the claim. */
    take(delivery: OpenDelivery, askedAt: number): void {
      const sending = send(delivery, askedAt)
        .catch((error: unknown) => {
          // The claim runs out, and the sweeper finds it.
          logger.error({ err: error, deliveryId: delivery.deliveryId }, 'a delivery was broken off');
        })
        .finally(() => atWork.delete(sending));
      atWork.add(sending);
    },

    /** Waits for those on their way, at most `timeoutMs`. */
    empty: (timeoutMs: number) => within(timeoutMs, Promise.all(atWork)),
  };
}

export type DeliveryDesk = ReturnType<typeof createDeliveryDesk>;
