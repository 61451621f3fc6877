/**
 * Remembers answers for a short time, so that a burst asks once. Concurrent asks for one key share one answer; failures
 * are not remembered. Holds `sizeMax` keys at most and forgets the oldest first. `forget(key)`: the next ask is answered
 * anew, also when an answer is on its way.
 */
export function createExpiringCache<Value>(ttlMs: number, sizeMax: number, now: () => number = Date.now) {
  const entries = new Map<string, { expiresAt: number; value: Promise<Value> }>();

  const ask = (key: string, load: () => Promise<Value>): Promise<Value> => {
    const known = entries.get(key);
    if (known && known.expiresAt > now()) return known.value;
    const value = load();
    entries.delete(key);
    entries.set(key, { expiresAt: now() + ttlMs, value });
    const [oldest] = entries.keys();
    if (entries.size > sizeMax && oldest !== undefined) entries.delete(oldest);
    value.catch(() => {
      if (entries.get(key)?.value === value) entries.delete(key);
    });
    return value;
  };
  return Object.assign(ask, { forget: (key: string) => void entries.delete(key) });
}
