import type { LiveUpdates } from '#events/live.ts';
import type { CancelTurn } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/**
 * Asks a turn to stop. The wish is kept first, so that it holds wherever and whenever the turn runs; the live update
 * only makes it quick.
 */
export function createCancelTurn({ scopes, live }: { scopes: Scopes; live: LiveUpdates }): CancelTurn {
  return async ({ tenantId, conversationId }, turnId) => {
    const [row] = await scopes.call<{ cancel_turn_v1: boolean }>('swarmgate.cancel_turn_v1', [
      tenantId,
      conversationId,
      turnId,
    ]);
    if (!row?.cancel_turn_v1) return false;
    live.publish({ tenantId, conversationId }, { kind: 'cancel', turnId });
    return true;
  };
}
