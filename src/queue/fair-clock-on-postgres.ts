import type { Scopes } from '#tenancy/scopes.ts';
import { type FairClock, halfRange, horizon, movedBelow } from './fair-clock.ts';

/** The clock of a queue that lives in the database: the same for all processes, and as durable as what waits there. */
export function createFairClockOnPostgres(scopes: Pick<Scopes, 'call'>, queue: string): FairClock {
  const isMoving = async (moved: boolean) => {
    const [row] = await scopes.call<{ clock_moving_v1: boolean }>('directory.clock_moving_v1', [
      queue,
      moved,
    ]);
    return row?.clock_moving_v1 ?? false;
  };

  return {
    async assign(starts) {
      const [row] = await scopes.call<{ assign_starts_v1: number[] }>('directory.assign_starts_v1', [
        queue,
        halfRange,
        horizon,
        starts.map(({ tenantId }) => tenantId),
        starts.map(({ cost }) => cost),
        starts.map(({ charged }) => charged),
      ]);
      return row?.assign_starts_v1 ?? [];
    },
    async advance(priority) {
      await scopes.call('directory.advance_clock_v1', [queue, halfRange, movedBelow, priority]);
    },
    async charge(tenantId, cost) {
      await scopes.call('directory.charge_v1', [queue, tenantId, cost]);
    },
    // It goes with the tenant's own row.
    forget: async () => {},
    isMoving: () => isMoving(false),
    async moved() {
      await isMoving(true);
    },
  };
}
