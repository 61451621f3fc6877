import { GatewayError } from './gateway-error.ts';

const firstMs = 500;
const longestMs = 30_000;

/**
 * How long to wait after the `failures`-th failure in a row: twice as long each time, half of it by chance, so that
 * the visitors of a gateway that restarts do not come back all at once. What the gateway asks for goes first.
 */
export function backoffMs(failures: number, error?: unknown): number {
  const asked = error instanceof GatewayError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return asked + Math.random() * firstMs;
  const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10));
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
