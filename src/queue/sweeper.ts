import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import type { WakeKind, WakeQueue } from './job.ts';

export type SweeperParts = { scopes: Scopes; queue: WakeQueue; logger: Logger };

const intervalMs = 1_000;
/** What is due for less than this has its own wake-up on the way. */
const usualGraceMs = 3_000;
const batch = 500;

/**
 * Wakes what is due and has nobody at work on it: after a crash between commit and wake-up, a queue that was emptied or
 * away, a worker that died. Ids only, bounded batches, and it looks no further than `due_at`, so what waits costs nothing.
 * Answers a function that stops it and waits for the sweep at work.
 */
export function startSweeper({ scopes, queue, logger }: SweeperParts): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let sweeping = Promise.resolve();

  const sweep = async (graceMs: number) => {
    const due = await scopes.call<{ kind: WakeKind; tenant_id: string; conversation_id: string }>(
      'swarmgate.due_work_v2',
      [graceMs, batch],
    );
    await giveSlots();
    await queue.keepOrder();
    if (due.length === 0) return;
    await queue.wakeAll(
      due.map((row) => ({ kind: row.kind, tenantId: row.tenant_id, conversationId: row.conversation_id })),
    );
    logger.debug({ count: due.length }, 'woke what was due');
  };

  // A slot is handed on by the turn that leaves it. What crashed, or a ceiling that was raised, hands on nothing.
  const giveSlots = async () => {
    const tenants = await scopes.call<{ tenant_id: string }>('swarmgate.waiting_tenants_v1', []);
    for (const { tenant_id: tenantId } of tenants) {
      const given = await scopes.call<{ conversation_id: string }>('swarmgate.give_slots_v1', [tenantId]);
      await queue.wakeAll(
        given.map((row) => ({ kind: 'turn', tenantId, conversationId: row.conversation_id })),
      );
    }
  };

  const run = (graceMs: number) => {
    sweeping = sweep(graceMs)
      .catch((error: unknown) => logger.warn({ err: error }, 'a sweep failed; the next one follows'))
      .finally(() => {
        if (!stopped) timer = setTimeout(run, intervalMs, usualGraceMs);
      });
  };
  // What is due when a process starts may have been left by one that was killed.
  run(0);

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await sweeping;
  };
}
