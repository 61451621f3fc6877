import type { LiveUpdates } from '#events/live.ts';
import type { CancelTurn } from '#gateways/journey.ts';
import type { WakeQueue } from '#queue/job.ts';
import type { Scopes } from '#tenancy/scopes.ts';

export type CancelTurnParts = { scopes: Scopes; live: LiveUpdates; queue: WakeQueue };

/**
 * Asks a turn to stop. The wish is kept first, so that it holds wherever and whenever the turn runs; the live update and
 * the wake-up (for one that waits to be tried again) only make it quick.
 */
export function createCancelTurn({ scopes, live, queue }: CancelTurnParts): CancelTurn {
  return async ({ tenantId, conversationId }, turnId) => {
    const [row] = await scopes.call<{ cancel_turn_v1: boolean }>('swarmgate.cancel_turn_v1', [
      tenantId,
      conversationId,
      turnId,
    ]);
    if (!row?.cancel_turn_v1) return false;
    live.publish({ tenantId, conversationId }, { kind: 'cancel', turnId });
    void queue.wake({ kind: 'turn', tenantId, conversationId });
    return true;
  };
}
