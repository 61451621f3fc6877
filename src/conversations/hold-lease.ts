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
 * or has to be assumed, to be lost.
 */
export function holdLease(extend: () => Promise<LeaseState>, leaseMs: number, stop: AbortSignal): HeldLease {
  const turn = new AbortController();
  let expiresAt = performance.now() + leaseMs;

  const beat = async () => {
    const askedAt = performance.now();
    const state = await extend().catch(() => undefined);
    if (state === 'lost' || performance.now() >= expiresAt) return turn.abort(new LeaseLostError());
    // No answer from the database: the lease goes on running out by our own clock.
    if (state === undefined) return;
    expiresAt = askedAt + leaseMs;
    if (state === 'cancelled') turn.abort(new TurnCancelledError());
  };

  const timer = setInterval(() => void beat(), leaseMs / 3);
  return {
    signal: AbortSignal.any([turn.signal, stop]),
    cancel: () => turn.abort(new TurnCancelledError()),
    release: () => clearInterval(timer),
  };
}
