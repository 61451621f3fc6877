import { z } from 'zod';

/**
 * The front door of the queue. A job is a wake-up: it says which conversation may have something to do and carries
 * nothing else, so that a lost, doubled or stale one does no harm. What there is to do stands in the database.
 */

/** `turn`: a message waits for its answer. `delivery`: an answer waits to be sent. */
export type WakeKind = 'turn' | 'delivery';

export type WakeUp = {
  kind: WakeKind;
  tenantId: string;
  conversationId: string;
  /**
   * The share of the tenant's plan, where new work has come: it is charged for it, and starts when its turn has come.
   * Absent where work is only looked for again: that was charged before, and starts now.
   */
  weight?: number;
};

/** The data of a job, version 1. A promise to processes that run an older or newer release. */
export const wakeUpData = z.strictObject({ tenantId: z.uuid(), conversationId: z.uuid() });
export type WakeUpData = z.infer<typeof wakeUpData>;

/** What one wake-up led to: how many pieces of work, of a tenant with which weight. */
export type Served = { weight: number; count: number };

export interface WakeQueue {
  /**
   * Adds a wake-up, merged with one that waits already. Never rejects and takes 250 ms at most: a lost wake-up is the
   * sweeper's to repair. Answers whether it went through.
   */
  wake(wakeUp: WakeUp): Promise<boolean>;
  /** The same for many at once, without the bound; rejects when the queue is away. */
  wakeAll(wakeUps: readonly WakeUp[]): Promise<void>;
  /** Starts taking wake-ups of a kind. `handle` drains the conversation; it may be called again for the same one. */
  work(kind: WakeKind, handle: (data: WakeUpData) => Promise<Served | undefined>, concurrency: number): void;
  /** Keeps the order of what waits when the range of priorities is used up; costs a look while it is not. Every second will do. */
  keepOrder(): Promise<void>;
  /** Removes what waits for a tenant that is no more, and what its order is kept by. */
  forget(tenantId: string): Promise<void>;
  /** Whether the queue answers now, within a second. */
  isReachable(): Promise<boolean>;
  /** Stops taking wake-ups and waits for those at work, at most `timeoutMs`; answers whether they ended. May be called again. */
  stopWork(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}
