import { AppError } from '#domain/errors.ts';
import { LeaseLostError, TurnCancelledError } from './hold-lease.ts';
import type { OpenTurn, TurnOutcome } from './turn-journal.ts';

/** What is to be kept of an attempt at a turn. */
export type Settlement =
  | { kind: 'commit'; outcome: TurnOutcome }
  | { kind: 'retry'; delayMs: number; cause: unknown; error: { code: string; message: string } }
  /** The process stops: the turn runs again elsewhere, and the attempt does not count. */
  | { kind: 'release' }
  /** The lease is lost: nothing may be written. */
  | { kind: 'lost' };

/** The texts that the service itself says when a turn has no answer. */
export type TurnTexts = { stopped: string; failed: (error: unknown) => string };

/** The process is about to stop. */
export class StoppingError extends AppError<'stopping'> {
  override readonly name = 'StoppingError';

  constructor() {
    super('stopping', 'The process stops.', { retry: 'later' });
  }
}

/** A turn was begun again and again without ever ending: its message seems to bring the process down. */
export class PoisonedTurnError extends AppError<'turn_poisoned'> {
  override readonly name = 'PoisonedTurnError';

  constructor(attempts: number) {
    super('turn_poisoned', `The turn was begun ${attempts} times and never ended.`);
  }
}

/** Attempts that end in a known failure, and attempts of any kind. */
const attemptsMax = 4;
const beginningsMax = 10;
/** A turn is not tried again later than this after it was first begun: somebody waits for a word. */
const answerWithinMs = 120_000;
const backoffMs = [1_000, 5_000, 15_000] as const;

/** @throws {PoisonedTurnError} when a turn has been begun too often. */
export function refusePoisoned(turn: OpenTurn): void {
  if (turn.attempt > beginningsMax) throw new PoisonedTurnError(turn.attempt - 1);
}

/** Decides what follows a failed attempt: one honest message, another attempt, or nothing at all. */
export function settleFailure(
  error: unknown,
  signal: AbortSignal,
  turn: OpenTurn,
  textSoFar: string,
  texts: TurnTexts,
): Settlement {
  // An aborted call may fail in its own words; the reason of the abort is what counts.
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof LeaseLostError) return { kind: 'lost' };
  if (cause instanceof StoppingError) return { kind: 'release' };
  if (cause instanceof TurnCancelledError) return { kind: 'commit', outcome: cancelled(textSoFar, texts) };

  const described = {
    code: cause instanceof AppError ? cause.code : 'internal',
    message: cause instanceof Error ? cause.message : String(cause),
  };
  const delayMs = retryDelayMs(cause, turn);
  if (delayMs !== undefined) return { kind: 'retry', delayMs, cause, error: described };
  return {
    kind: 'commit',
    outcome: { state: 'dead', role: 'system', text: texts.failed(cause), content: {}, error: described },
  };
}

function cancelled(textSoFar: string, texts: TurnTexts): TurnOutcome {
  const said = textSoFar.trim() !== '';
  return {
    state: 'done',
    role: said ? 'agent' : 'system',
    text: said ? textSoFar : texts.stopped,
    content: { cancelled: true },
  };
}

function retryDelayMs(cause: unknown, turn: OpenTurn): number | undefined {
  if (!(cause instanceof AppError) || cause.retry !== 'later' || turn.attempt >= attemptsMax)
    return undefined;
  const asked = (cause as { retryAfterMs?: number }).retryAfterMs ?? 0;
  const delayMs = Math.max(asked, backoffMs[Math.min(turn.attempt, backoffMs.length) - 1] ?? 0);
  return turn.elapsedMs + delayMs < answerWithinMs ? delayMs : undefined;
}
