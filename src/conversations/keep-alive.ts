import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';

export type KeepAliveParts = { scopes: Pick<Scopes, 'call'>; holder: string; logger: Logger };

/** A worker that gives no sign of life for so long sends nothing more, and soon what it has claimed is anybody's. */
const aliveMs = 6_000;
const intervalMs = 1_500;

export type KeepAlive = {
  /** Whether the others still take it for alive, by its own clock: only then it may send. */
  isAlive(): boolean;
  /** Aborts when it is not any more; to be asked for anew by each piece of work. */
  signal(): AbortSignal;
  /** With `isDone` it says that it has ended, so that what it leaves is free soon; else its time runs out by itself. */
  stop(isDone: boolean): Promise<void>;
};

/** Says in the database that this worker lives, until it is stopped. Resolves once it has been said for the first time. */
export async function startKeepAlive({ scopes, holder, logger }: KeepAliveParts): Promise<KeepAlive> {
  const stop = new AbortController();
  let aliveUntil = Number.NEGATIVE_INFINITY;
  let life = new AbortController();
  let end: NodeJS.Timeout | undefined;

  const say = async (ms: number) => {
    const askedAt = performance.now();
    try {
      await scopes.call('directory.keep_alive_v1', [holder, ms]);
    } catch (error) {
      logger.warn({ err: error }, 'the database was not told that this worker lives');
      return;
    }
    aliveUntil = askedAt + ms;
    clearTimeout(end);
    if (life.signal.aborted) life = new AbortController();
    const ended = life;
    end = setTimeout(() => ended.abort(), Math.max(0, aliveUntil - performance.now())).unref();
  };
  const beat = async () => {
    while (!stop.signal.aborted) {
      await pause(intervalMs, undefined, { signal: stop.signal, ref: false }).catch(() => {});
      if (!stop.signal.aborted) await say(aliveMs);
    }
  };
  await say(aliveMs);
  const beating = beat();

  return {
    isAlive: () => performance.now() < aliveUntil,
    signal: () => life.signal,
    async stop(isDone) {
      stop.abort();
      await beating;
      if (isDone) await say(0);
      clearTimeout(end);
    },
  };
}
