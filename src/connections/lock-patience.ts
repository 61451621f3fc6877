import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { describeBlockers, type LockWatch, watchBlockers } from './lock-blockers.ts';

/**
 * How a change of the schema waits for locks that others hold. Whoever comes behind it waits for it in turn, readers too:
 * so it waits for a moment, lets everybody go first, and comes again later.
 */
export type LockPatience = {
  /** For one lock. Well below the 2 s after which the hot path gives a caller up. */
  lockTimeoutMs: number;
  attemptsMax: number;
  /** Between two attempts; twice as long each time, up to the second. */
  pauseMsMin: number;
  pauseMsMax: number;
};

/** Three to four minutes in all. */
export const lockPatienceDefault: LockPatience = {
  lockTimeoutMs: 500,
  attemptsMax: 40,
  pauseMsMin: 500,
  pauseMsMax: 5_000,
};

export type PatientParts = {
  pool: pg.Pool;
  /** Does the work; `attempt` leaves nothing behind when it fails. */
  client: pg.PoolClient;
  patience: LockPatience;
  /** Hears what is waited for, once an attempt. */
  onWait: ((what: string) => void) | undefined;
};

/** The attempts are used up: somebody has held a lock all the time. `blockers`: who, as far as it can be told. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';

  constructor(attempts: number, lockTimeoutMs: number, blockers: string, cause: unknown) {
    super(
      `It was given up after ${attempts} attempts of ${lockTimeoutMs} ms each, because others hold a lock that it needs: ${blockers}. Let them finish, or end them with SELECT pg_terminate_backend(<pid>), and migrate again.`,
      { cause },
    );
  }
}

/** Does what needs others' locks: again and again, in short bites. @throws {LockHeldError} */
export async function withLockPatience<T>(
  { pool, client, patience, onWait }: PatientParts,
  attempt: () => Promise<T>,
): Promise<T> {
  let blockers = 'nobody could see whose';
  for (let number = 1; ; number++) {
    // One that meets nobody, as nearly all do, needs nobody to look.
    const watch = number === 1 ? undefined : await watchBlockers(pool, client);
    try {
      return await attempt();
    } catch (error) {
      if (!isLockConflict(error)) throw error;
      blockers = blockersOf(watch) ?? blockers;
      if (number >= patience.attemptsMax)
        throw new LockHeldError(number, patience.lockTimeoutMs, blockers, error);
      if (number > 1) onWait?.(`attempt ${number} of ${patience.attemptsMax}: ${blockers}`);
    } finally {
      await watch?.stop();
    }
    const pauseMs = Math.min(patience.pauseMsMin * 2 ** Math.min(number - 1, 10), patience.pauseMsMax);
    await sleep(pauseMs * (0.75 + Math.random() / 2));
  }
}

function blockersOf(watch: LockWatch | undefined): string | undefined {
  const seen = watch?.seen();
  return seen && describeBlockers(seen);
}

/** `lock_not_available`, and `deadlock_detected`: with somebody who goes on, now that this was rolled back. */
function isLockConflict(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '55P03' || code === '40P01';
}
