/** A person who writes ten lines gets one menu. */
const menuEveryMs = 10_000;
const turnsMax = 10_000;

/** When a menu may be looked for and shown in a channel of direct messages: what is looked up for it is dear. */
export interface MenuTurns {
  /** False: one was shown, or looked for, a moment ago. */
  take(direct: string): boolean;
  /** There was none after all, or it is used. */
  free(direct: string): void;
}

export function createMenuTurns(nowMs: () => number = () => performance.now()): MenuTurns {
  const takenAtMs = new Map<string, number>();
  return {
    take(direct) {
      if (nowMs() - (takenAtMs.get(direct) ?? Number.NEGATIVE_INFINITY) < menuEveryMs) return false;
      takenAtMs.delete(direct);
      takenAtMs.set(direct, nowMs());
      const [oldest] = takenAtMs.keys();
      if (takenAtMs.size > turnsMax && oldest !== undefined) takenAtMs.delete(oldest);
      return true;
    },
    free: (direct) => void takenAtMs.delete(direct),
  };
}
