import type { Uuid } from '#domain/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import type { ChannelSlots } from './channel-slots.ts';
import type { OpenDelivery } from './delivery-journal.ts';

export type DeliveryDeskParts = {
  deliver: {
    send: (delivery: OpenDelivery, askedAt: number) => Promise<void>;
    lineUp: (at: { tenantId: Uuid; conversationId: Uuid }, channelId: Uuid) => void;
  };
  slots: Pick<ChannelSlots, 'isFull'>;
  logger: Logger;
  /** Aborts when no more work is to be begun. */
  draining: AbortSignal;
};

/** How many answers may be on their way at once; further ones go through the queue and wait there, each tenant in its turn. */
const atWorkMax = 100;
/** The same with those that are called back because their channel has a place; others come when they are due. */
const calledBackMax = 400;

/**
 * Sends an answer right where it was made, without the way through the queue, and holds no place among the turns for it:
 * a platform that is slow slows down no agent.
 */
export function createDeliveryDesk({ deliver, slots, logger, draining }: DeliveryDeskParts) {
  const atWork = new Set<Promise<void>>();

  const run = (work: () => Promise<void>): Promise<void> => {
    const working = work()
      .catch((error: unknown) => {
        // The claim runs out, and the sweeper finds it.
        logger.error({ err: error }, 'a delivery was broken off');
      })
      .finally(() => atWork.delete(working));
    atWork.add(working);
    return working;
  };

  return {
    /** Whether an answer into a channel may be claimed to be sent from here. */
    hasRoom: (channelId: Uuid): boolean =>
      atWork.size < atWorkMax && !draining.aborted && !slots.isFull(channelId),

    /** Takes over a delivery that the caller has claimed; `askedAt` is when it asked for the claim. */
    take: (delivery: OpenDelivery, askedAt: number): void => void run(() => deliver.send(delivery, askedAt)),

    /** Takes over what nobody has claimed, if its channel is full: it waits for that. */
    takeIfFull(at: { tenantId: Uuid; conversationId: Uuid }, channelId: Uuid): boolean {
      if (draining.aborted || !slots.isFull(channelId)) return false;
      deliver.lineUp(at, channelId);
      return true;
    },

    /** Does what a place of a channel has become free for, unless too much is at work. */
    run: (work: () => Promise<void>): Promise<void> =>
      draining.aborted || atWork.size >= calledBackMax ? Promise.resolve() : run(work),

    /** Waits for those on their way, at most `timeoutMs`. */
    empty: (timeoutMs: number) => within(timeoutMs, Promise.all(atWork)),
  };
}

export type DeliveryDesk = ReturnType<typeof createDeliveryDesk>;
