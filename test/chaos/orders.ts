import type { FallPoint } from './fall-points.ts';

/** What the runner tells a process that it has started, by IPC. */
export type Order =
  /** Fall when the point is reached for the next time: die, or stand still until SIGCONT. */
  | { kind: 'fall'; at: FallPoint; signal: 'SIGKILL' | 'SIGSTOP' }
  | { kind: 'stand' }
  /** From now on the wall clock of the process is wrong by so much. */
  | { kind: 'clock'; skewMs: number };

/** What the process tells the runner. */
export type Note = { kind: 'falls'; at: FallPoint };
