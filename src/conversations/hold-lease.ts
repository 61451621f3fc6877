import { AppError } from '#domain/errors.ts';
import type { LeaseState } from './turn-journal.ts';

/** Another worker may have this conversation now: stop, write nothing. */
export class LeaseLostError extends AppError<'lease_lost'> {
  override readonly name = 'LeaseLostError';

  constructor() {
    super('lease_lost', 'The lease of the conversation was lost while its turn ran.', { retry: 'later' });
  }
}

/** Somebody asked the turn to stop. */
export class TurnCancelledError extends AppError<'turn_cancelled'> {
  override readonly name = 'TurnCancelledError';

  constructor() {
    super('turn_cancelled', 'The turn was asked to stop.');
  }
}

export type HeldLease = {
  /** Aborts with {@link LeaseLostError}, {@link TurnCancelledError}, or the reason of the signal given. */
  signal: AbortSignal;
  cancel(): void;
  release(): void;
};

/**
 * Keeps a lease alive while a turn runs: extends it three times per lease, and aborts the turn as soon as it is known,
 * or has to be assumed, to be lost. While the database does not answer, the lease runs out by our own clock.
 */
export function holdLease(extend: () => Promise<LeaseState>, leaseMs: number, stop: AbortSignal): HeldLease {
  const turn = new AbortController();
  const lose = () => turn.abort(new LeaseLostError());
  let runOut = setTimeout(lose, leaseMs);
  let asking = false;
  let released = false;

  const beat = async () => {
    if (asking) return;
    asking = true;
    const askedAt = performance.now();
    const state = await extend().catch(() => undefined);
    asking = false;
    if (state === 'lost') return lose();
    if (state === undefined || released) return;
    clearTimeout(runOut);
    runOut = setTimeout(lose, askedAt + leaseMs - performance.now());
    if (state === 'cancelled') turn.abort(new TurnCancelledError());
  };

  const timer = setInterval(() => void beat(), leaseMs / 3);
  return {
    signal: AbortSignal.any([turn.signal, stop]),
    cancel: () => turn.abort(new TurnCancelledError()),
    release() {
      released = true;
      clearInterval(timer);
      clearTimeout(runOut);
    },
  };
}
