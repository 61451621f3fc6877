import { setTimeout as sleep } from 'node:timers/promises';
import type { SenderNumber } from './world.ts';

export type SendQueue = {
  /**
   * Takes a message that is to leave when its turn comes; false when the queue is full. `leave` is never called twice
   * at once.
   */
  push(segments: number, leave: () => Promise<void>): boolean;
};

/** A queue for each number, made when it is first used. A number that is added again keeps its queue. */
export function createSendQueues(
  limits: { segmentsPerSecond: number | undefined; segmentsMax: number | undefined },
  parts: Pick<QueueOptions, 'closing' | 'track'>,
): (number: SenderNumber) => SendQueue {
  const queues = new Map<string, SendQueue>();
  const paces = new Map<string, number>();
  return ({ number, segmentsPerSecond }) => {
    paces.set(number, segmentsPerSecond ?? limits.segmentsPerSecond ?? Number.POSITIVE_INFINITY);
    const options = {
      segmentsPerSecond: () => paces.get(number) ?? Number.POSITIVE_INFINITY,
      segmentsMax: limits.segmentsMax ?? tenHoursOfALongCode,
      ...parts,
    };
    const queue = queues.get(number) ?? createSendQueue(options);
    queues.set(number, queue);
    return queue;
  };
}

const tenHoursOfALongCode = 36_000;

type QueueOptions = {
  /** Asked for each message; `Infinity`: as fast as they come. */
  segmentsPerSecond: () => number;
  segmentsMax: number;
  closing: AbortSignal;
  track: (work: Promise<void>) => void;
};

/** The outgoing queue of one number. Messages leave it in order, at the number's pace. */
function createSendQueue(options: QueueOptions): SendQueue {
  let waitingSegments = 0;
  let freeAtMs = 0;
  let tail = Promise.resolve();

  async function leaveInTurn(segments: number, leave: () => Promise<void>): Promise<void> {
    const waitMs = freeAtMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: options.closing });
    options.closing.throwIfAborted();
    freeAtMs = Math.max(freeAtMs, performance.now()) + (segments / options.segmentsPerSecond()) * 1_000;
    await leave();
  }

  return {
    push(segments, leave) {
      if (waitingSegments + segments > options.segmentsMax) return false;
      waitingSegments += segments;
      tail = tail
        .then(() => leaveInTurn(segments, leave))
        .catch((error: unknown) => {
          if (!options.closing.aborted) throw error;
        })
        .finally(() => {
          waitingSegments -= segments;
        });
      options.track(tail);
      return true;
    },
  };
}
