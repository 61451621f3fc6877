import type { PaceBudget } from '../../journey.ts';

/** Whose refusals are counted together, and how many there may be at once; as many again come back in a window. */
export type RefusalShare = { key: string; refusalsMax: number };

export type TakenPlace = { granted: true } | { granted: false; waitMs: number };

/**
 * Room for refusals, taken before a call is made and given back when it was not refused: so calls at the same time, in
 * whichever processes, cannot be refused more often than there is room.
 */
export interface RefusalPlaces {
  take(share: RefusalShare): Promise<TakenPlace>;
  /** The place was not needed. It is kept at hand for the next call for a while. */
  free(share: RefusalShare): void;
}

const windowMs = 10 * 60_000;
/** So a busy bot does not ask the budget with each call, and others are not kept from places for long. */
const atHandMs = 30_000;
const keysMax = 20_000;

export function createRefusalPlaces(budget: PaceBudget, nowMs: () => number): RefusalPlaces {
  /** By share, the times since which places are at hand, oldest first. */
  const atHand = new Map<string, number[]>();

  const paceOf = ({ refusalsMax }: RefusalShare) => ({
    ...{ intervalMs: windowMs / refusalsMax, cost: 1, burst: refusalsMax },
  });
  const nameOf = ({ key }: RefusalShare) => `discord/refusals/${key}`;

  function takeAtHand(share: RefusalShare): boolean {
    const places = atHand.get(share.key) ?? [];
    const isTaken = places.pop() !== undefined;
    while (nowMs() - (places[0] ?? Number.POSITIVE_INFINITY) > atHandMs) {
      places.shift();
      // One that cannot be given back comes back with time.
      void budget.giveBack(nameOf(share), paceOf(share)).catch(() => {});
    }
    if (places.length === 0) atHand.delete(share.key);
    return isTaken;
  }

  return {
    async take(share) {
      if (takeAtHand(share)) return { granted: true };
      const { granted, waitMs } = await budget.reserve(nameOf(share), paceOf(share), 0);
      return granted ? { granted } : { granted, waitMs };
    },
    free(share) {
      const places = atHand.get(share.key) ?? [];
      atHand.delete(share.key);
      atHand.set(share.key, [...places, nowMs()]);
      const [oldest] = atHand.keys();
      if (atHand.size > keysMax && oldest !== undefined) atHand.delete(oldest);
    },
  };
}
