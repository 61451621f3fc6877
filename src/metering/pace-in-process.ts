import type { PaceBudget } from '#gateways/journey.ts';

const keysMax = 20_000;

type Held = {
  /** When its bucket is full again. */
  fullAt: number;
  /** Until when those that could not wait have been told to come back. */
  lineAt: number;
};

/** The budgets of a process that has nobody beside it. (GCRA, and a line behind it.) */
export function createPaceInProcess(nowMs: () => number = () => performance.now()): PaceBudget {
  const keys = new Map<string, Held>();

  return {
    async reserve(key, { intervalMs, cost, burst }, waitMsMax) {
      const now = nowMs();
      const held = keys.get(key) ?? { fullAt: now, lineAt: now };
      const fullAt = Math.max(held.fullAt, now);
      const waitMs = fullAt - now - (burst - 1) * intervalMs;
      forgetFull(keys, now);
      if (waitMs <= waitMsMax) {
        keys.set(key, { ...held, fullAt: fullAt + cost * intervalMs });
        return { granted: true, waitMs: Math.max(waitMs, 0) };
      }
      const lineAt = Math.max(held.lineAt, now + waitMs);
      keys.set(key, { fullAt, lineAt: lineAt + cost * intervalMs });
      return { granted: false, waitMs: lineAt - now };
    },

    async giveBack(key, { intervalMs, cost }) {
      const held = keys.get(key);
      if (held) keys.set(key, { ...held, fullAt: held.fullAt - cost * intervalMs });
    },
  };
}

// A bucket that is full again is like one that was never used.
function forgetFull(keys: Map<string, Held>, now: number): void {
  if (keys.size < keysMax) return;
  for (const [key, { fullAt, lineAt }] of keys) if (fullAt <= now && lineAt <= now) keys.delete(key);
}
