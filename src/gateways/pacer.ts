import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from './gateway-error.ts';

export interface Pacer {
  /**
   * Waits until one more call may be made in the name of `key`: `cost` of them (1 when absent) each `intervalMs`, and up
   * to `burst` at once after a silence. First come, first served. When the turn would come too late for `signal`, it is
   * not waited for. @throws {GatewayError} `not_now`, with the time until then.
   */
  take(key: string, intervalMs: number, signal: AbortSignal, cost?: number, burst?: number): Promise<void>;
}

/** No send is held for longer than this: what has to wait longer is put back and leaves its place to others. */
const waitMsMax = 2_000;
const keysMax = 20_000;

/**
 * Keeps the pace that platforms ask of a credential or a channel of theirs, within this process. (GCRA: one time a key,
 * the one at which its bucket is full again.)
 */
export function createPacer(
  nowMs: () => number = () => performance.now(),
  wait: (waitMs: number, signal: AbortSignal) => Promise<unknown> = (waitMs, signal) =>
    pause(waitMs, undefined, { signal }),
): Pacer {
  const fullAt = new Map<string, number>();

  return {
    async take(key, intervalMs, signal, cost = 1, burst = 1) {
      if (signal.aborted) throw tooLate();
      const now = nowMs();
      const emptyUntil = Math.max(fullAt.get(key) ?? 0, now);
      const waitMs = emptyUntil - now - (burst - 1) * intervalMs;
      if (waitMs > waitMsMax)
        throw new GatewayError('not_now', 'The platform takes no more at the moment.', {
          retryAfterMs: waitMs,
        });
      forgetFull(fullAt, now);
      fullAt.set(key, emptyUntil + cost * intervalMs);
      if (waitMs <= 0) return;
      await wait(waitMs, signal).catch(() => {
        // Its place is for those behind it.
        fullAt.set(key, (fullAt.get(key) ?? 0) - cost * intervalMs);
        throw tooLate();
      });
    },
  };
}

function tooLate(): GatewayError {
  return new GatewayError('not_now', 'The turn at the platform did not come in time.', { retryAfterMs: 0 });
}

// A bucket that is full again is like one that was never used.
function forgetFull(fullAt: Map<string, number>, now: number): void {
  if (fullAt.size < keysMax) return;
  for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
}
