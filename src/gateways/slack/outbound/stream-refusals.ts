/** Remembers for a while what Slack refuses, so that it is not asked at every answer. */
export type Refusals = { remember(key: string): void; has(key: string): boolean };

const ttlMs = 10 * 60_000;
const keysMax = 10_000;

export function createRefusals(nowMs: () => number = Date.now): Refusals {
  const until = new Map<string, number>();
  return {
    remember(key) {
      until.delete(key);
      until.set(key, nowMs() + ttlMs);
      const [oldest] = until.keys();
      if (until.size > keysMax && oldest !== undefined) until.delete(oldest);
    },
    has(key) {
      return (until.get(key) ?? 0) > nowMs();
    },
  };
}
