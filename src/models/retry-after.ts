/** No provider's wait is taken for longer than this: a wrong date must not put a conversation to sleep. */
const retryAfterMsMax = 60 * 60 * 1_000;

/** Reads `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). Names are in lower case. */
export function readRetryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number = Date.now(),
): number | undefined {
  const milliseconds = readNumber(headers['retry-after-ms']);
  if (milliseconds !== undefined) return bounded(milliseconds);
  const text = headers['retry-after'];
  const seconds = readNumber(text);
  if (seconds !== undefined) return bounded(seconds * 1_000);
  const dateMs = Date.parse(text ?? '');
  return Number.isNaN(dateMs) ? undefined : bounded(dateMs - nowMs);
}

function readNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(Math.ceil(waitMs), 0), retryAfterMsMax);
}
