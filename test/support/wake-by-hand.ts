import type { WakeKind, WakeQueue, WakeUpData } from '#queue/job.ts';

/** Lets a test wake a worker past the queue, which itself never lets two work on one conversation. */
export function wakeByHand() {
  const handlers = new Map<WakeKind, (data: WakeUpData) => Promise<unknown>>();
  return {
    wrapQueue: (queue: WakeQueue): WakeQueue => ({
      ...queue,
      work(kind, handle, concurrency) {
        handlers.set(kind, handle);
        queue.work(kind, handle, concurrency);
      },
    }),
    /** Resolves when the worker has nothing more to do there. */
    async wake(kind: WakeKind, at: WakeUpData): Promise<void> {
      const handle = handlers.get(kind);
      if (!handle) throw new Error('Nobody works yet.');
      await handle({ tenantId: at.tenantId, conversationId: at.conversationId });
    },
  };
}
