import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a piece of work carries. Ids only. */
export type WorkContext = { requestId?: string; tenantId?: string; conversationId?: string };

const storage = new AsyncLocalStorage<WorkContext>();

/** The context of the work that runs now; empty outside any. */
export function currentContext(): WorkContext {
  return storage.getStore() ?? {};
}

/** Runs `work` with `more` added to the context. */
export function withContext<T>(more: WorkContext, work: () => T): T {
  return storage.run({ ...currentContext(), ...more }, work);
}

/** Adds ids that became known on the way (a tenant found by a token) to the context of the work that runs now. */
export function extendContext(more: WorkContext): void {
  Object.assign(storage.getStore() ?? {}, more);
}
