import type { PaceBudget } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** Buckets that are full again are looked for after so many reservations. */
const forgetEach = 1_000;

/** The budgets of all processes together, where there is no Redis. */
export function createPaceOnPostgres(scopes: Pick<Scopes, 'call'>): PaceBudget {
  let reserved = 0;

  return {
    async reserve(key, { intervalMs, cost, burst }, waitMsMax) {
      reserved += 1;
      if (reserved % forgetEach === 0)
        void scopes.call('directory.forget_paces_v1', []).catch(() => {
          // The next one will.
        });
      const [row] = await scopes.call<{ take_pace_v1: { granted: boolean; waitMs: number } }>(
        'directory.take_pace_v1',
        [key, intervalMs, cost, burst, waitMsMax],
      );
      if (!row) throw new TypeError('The database answered nothing.');
      return row.take_pace_v1;
    },
    async giveBack(key, { intervalMs, cost }) {
      await scopes.call('directory.give_back_pace_v1', [key, cost * intervalMs]);
    },
  };
}
