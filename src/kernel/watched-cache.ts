export type WatchedCacheParts<Value> = {
  /** Looks at many entries at once and answers the keys of those that still hold. */
  check: (entries: readonly (readonly [key: string, value: Value])[]) => Promise<readonly string[]>;
  /** How old an answer may be. */
  validMs: number;
  sizeMax: number;
};

/** So often within `validMs` the entries in use are checked: one check may be late. */
const checksPerValidity = 2;
/** What nobody has asked for in so many checks is forgotten: by then they have cost as much as to ask anew. */
const idleChecksMax = 4;

/**
 * Remembers answers that are at most `validMs` old, as an expiring cache does, but checks those that are in use all
 * together, so that what did not change is not asked for one by one. Where a check fails, answers grow old and are asked
 * for anew. While nothing is asked for, nothing is checked. `forget(key)`: the next ask is answered anew, also when an
 * answer is on its way.
 */
export function createWatchedCache<Value>({ check, validMs, sizeMax }: WatchedCacheParts<Value>) {
  type Entry = { answer: Promise<Value>; value?: { known: Value }; checkedAt: number; idleChecks: number };
  const entries = new Map<string, Entry>();
  let isWatching = false;

  async function checkAll(): Promise<void> {
    const checkedAt = performance.now();
    const known = new Map<string, Entry>();
    const asked: [string, Value][] = [];
    for (const [key, entry] of entries) {
      if (++entry.idleChecks > idleChecksMax) entries.delete(key);
      else if (entry.value) {
        known.set(key, entry);
        asked.push([key, entry.value.known]);
      }
    }
    const held = asked.length > 0 ? await check(asked).catch(() => undefined) : undefined;
    const unchanged = new Set(held);
    for (const [key, entry] of held ? known : []) {
      if (unchanged.has(key)) entry.checkedAt = checkedAt;
      else if (entries.get(key) === entry) entries.delete(key);
    }
    isWatching = entries.size > 0;
    if (isWatching) checkLater(performance.now() - checkedAt);
  }

  const checkLater = (tookMs = 0) =>
    setTimeout(() => void checkAll(), Math.max(0, validMs / checksPerValidity - tookMs)).unref();

  const ask = (key: string, load: () => Promise<Value>): Promise<Value> => {
    const known = entries.get(key);
    if (known && performance.now() - known.checkedAt < validMs) {
      known.idleChecks = 0;
      return known.answer;
    }
    const entry: Entry = { answer: load(), checkedAt: performance.now(), idleChecks: 0 };
    entry.answer.then(
      (value) => {
        entry.value = { known: value };
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key);
      },
    );
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > sizeMax && oldest !== undefined) entries.delete(oldest);
    if (!isWatching) checkLater();
    isWatching = true;
    return entry.answer;
  };
  return Object.assign(ask, { forget: (key: string) => void entries.delete(key) });
}
