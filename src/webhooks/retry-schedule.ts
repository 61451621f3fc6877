const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How long after each failed attempt the next one comes, as Standard Webhooks 1.0.0 proposes: ten within three days. */
const delaysMs = [
  ...[5 * second, 5 * minute, 30 * minute],
  ...[2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
];

/** So that what failed together does not come again together. */
const jitter = 0.1;

/** A receiver is not waited for longer than between the last two attempts anyway. */
const retryAfterMsMax = 24 * hour;

/**
 * When to try again after the attempt of this number has failed (the first one is 1); `undefined`: not any more. A receiver
 * may ask for more time, and not for less.
 */
export function retryDelayMs(
  tries: number,
  retryAfterMs: number | undefined,
  random: () => number = Math.random,
): number | undefined {
  const usual = delaysMs[tries - 1];
  if (usual === undefined) return undefined;
  const spread = usual * (1 + jitter * (2 * random() - 1));
  return Math.round(Math.max(spread, retryAfterMs ?? 0));
}

/** Reads `Retry-After` (RFC 9110 §10.2.3), bounded; `undefined` where there is none that can be read. */
export function readRetryAfterMs(header: string | null, nowMs: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  const waitMs = /^\s*\d+\s*$/.test(header) ? Number(header) * second : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), retryAfterMsMax);
}
