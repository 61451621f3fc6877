import { GatewayError } from './gateway-error.ts';

export type PacedWriter = {
  show(text: string): void;
  /** Waits for the call that is on its way; what has waited is not written. Fails with what broke the writer. */
  close(): Promise<void>;
};

export type PacedWriterParts = {
  /** The shortest time from one call to the next; asked before each. */
  intervalMs: () => number;
  /** Shows the text. Throws `GatewayError` for what the platform says, anything else for what must end the answer. */
  write: (text: string) => Promise<void>;
};

/** How long a writer rests when the platform does not say, or cannot be reached. */
const restMs = 5_000;

/**
 * Writes the latest of many texts, one call at a time and never faster than its pace; when the platform wants less, it rests
 * as long as that says. What the platform refuses ends it in silence.
 */
export function createPacedWriter({ intervalMs, write }: PacedWriterParts): PacedWriter {
  let latest: string | undefined;
  let running: Promise<void> | undefined;
  let nextAt = 0;
  let isOver = false;
  let failure: { reason: unknown } | undefined;
  let stopResting = () => {};

  const rest = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopResting = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const run = async () => {
    while (latest !== undefined && !isOver) {
      const waitMs = nextAt - performance.now();
      if (waitMs > 0) {
        await rest(waitMs);
        continue;
      }
      const text = latest;
      latest = undefined;
      nextAt = performance.now() + intervalMs();
      await write(text).catch((error: unknown) => {
        const pauseMs = pauseAfter(error);
        if (pauseMs === undefined) isOver = true;
        else nextAt = performance.now() + pauseMs;
        if (pauseMs !== undefined) latest ??= text;
        if (!(error instanceof GatewayError)) failure = { reason: error };
      });
    }
    running = undefined;
  };

  return {
    show(text) {
      if (isOver) return;
      latest = text;
      running ??= run();
    },
    async close() {
      isOver = true;
      stopResting();
      await running;
      if (failure) throw failure.reason;
    },
  };
}

/** `undefined`: it would be the same the next time. */
function pauseAfter(error: unknown): number | undefined {
  if (!(error instanceof GatewayError) || error.retry === 'never') return undefined;
  return Math.max(error.retryAfterMs ?? restMs, 1_000);
}
