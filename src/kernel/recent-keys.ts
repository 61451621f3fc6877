/**
 * Remembers for a short time that something was so, or was done. Holds `sizeMax` keys at most and forgets the oldest first.
 */
export function createRecentKeys(
  ttlMs: number,
  sizeMax: number,
  nowMs: () => number = () => performance.now(),
) {
  const untilMs = new Map<string, number>();
  return {
    has: (key: string): boolean => (untilMs.get(key) ?? Number.NEGATIVE_INFINITY) > nowMs(),
    note(key: string): void {
      untilMs.delete(key);
      untilMs.set(key, nowMs() + ttlMs);
      const [oldest] = untilMs.keys();
      if (untilMs.size > sizeMax && oldest !== undefined) untilMs.delete(oldest);
    },
    forget: (key: string) => void untilMs.delete(key),
  };
}
