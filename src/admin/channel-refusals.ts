import { ApplyRefusedError } from '#tenancy/channel-life.ts';
import { ConflictError } from '#tenancy/scope-errors.ts';
import { conflict } from './refusals.ts';

/** Why a channel or an agent is not made or changed so, as whoever asked is told; anything else as it is. */
export function explainKeeping(error: unknown): unknown {
  if (error instanceof ApplyRefusedError) return conflict(error.refusal, error.message);
  // Of two at the same moment the second.
  if (error instanceof ConflictError) return conflict('slug_taken', 'There is one of that name already.');
  return error;
}
