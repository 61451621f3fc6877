/**
 * Start-time fair queueing: each wake-up gets a start tag in virtual time, and the lowest tag is served first. A tenant's
 * next tag lies behind its last one by what that cost, and never before what is being served now. So who asks rarely
 * starts at once, however much others have waiting, and who waits gets a share by weight.
 * @see Goyal, Vin, Cheng: Start-Time Fair Queueing (SIGCOMM 1996)
 */
export interface FairClock {
  /** Answers a priority for each start, in order. BullMQ serves the lowest first. */
  assign(starts: readonly Start[]): Promise<number[]>;
  /** A wake-up with this priority is being served. */
  advance(priority: number): Promise<void>;
  /** A wake-up was served more than it was charged for. */
  charge(tenantId: string, cost: number): Promise<void>;
  /** A tenant is no more. */
  forget(tenantId: string): Promise<void>;
  /** Whether the base was raised, so that wake-ups that wait keep their order only once they have been moved. */
  isMoving(): Promise<boolean>;
  moved(): Promise<void>;
}

export type Start = { tenantId: string; cost: number; charged: boolean };

/**
 * Half of the priorities that BullMQ has (1 to 2,097,151). A priority is a tag less the base, plus 1. Once virtual time
 * has gone so far beyond the base, the base is raised by this, and what waits is moved down by it.
 */
export const halfRange = 1_048_576;

/**
 * No tag lies further ahead than this (16,384 pieces of work of weight 1): behind it, first come, first served. So, for a
 * long time after the base was raised, what was added since lies below {@link movedBelow}, and what was not moved above.
 */
export const horizon = halfRange / 4;
export const movedBelow = halfRange / 2;

const costOfWeight1 = 16;

/** What one piece of work costs a tenant. Weights are powers of two up to 16, so that costs are whole numbers. */
export function costOf(weight: number, count = 1): number {
  return Math.max(1, Math.round(costOfWeight1 / weight)) * count;
}
