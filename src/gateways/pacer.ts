import { setTimeout as pause } from 'node:timers/promises';
import { GatewayError } from './gateway-error.ts';
import type { PaceBudget } from './journey.ts';

export interface Pacer {
  /**
   * Waits until one more call may be made in the name of `key`: `cost` of them (1 when absent) each `intervalMs`, and up
   * to `burst` at once after a silence. First come, first served. When the turn would come too late, it is not waited
   * for. @throws {GatewayError} `not_now`, with the time to come back at
   */
  take(key: string, intervalMs: number, signal: AbortSignal, cost?: number, burst?: number): Promise<void>;
}

/** No send is held for longer than this: what has to wait longer is put back and leaves its place to others. */
const waitMsMax = 2_000;

/** Keeps the pace that platforms ask of a credential or a channel of theirs. */
export function createPacer(
  budget: PaceBudget,
  wait: (waitMs: number, signal: AbortSignal) => Promise<unknown> = (waitMs, signal) =>
    pause(waitMs, undefined, { signal }),
  /** False: others take this process for dead, and it may call no platform. */
  isAlive: () => boolean = () => true,
): Pacer {
  return {
    async take(key, intervalMs, signal, cost = 1, burst = 1) {
      if (signal.aborted) throw tooLate();
      const pace = { intervalMs, cost, burst };
      const { granted, waitMs } = await budget.reserve(key, pace, waitMsMax);
      if (!granted)
        throw new GatewayError('not_now', 'The platform takes no more at the moment.', {
          retryAfterMs: waitMs,
        });
      const isInTime =
        (waitMs <= 0 && !signal.aborted) ||
        (await wait(waitMs, signal).then(
          () => true,
          () => false,
        ));
      // It may have been frozen meanwhile, and its timers late.
      if (isInTime && isAlive()) return;
      // Its place is for those behind it.
      await budget.giveBack(key, pace);
      throw tooLate();
    },
  };
}

function tooLate(): GatewayError {
  return new GatewayError('not_now', 'The turn at the platform did not come in time.', { retryAfterMs: 0 });
}
