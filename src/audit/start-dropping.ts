import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { checkpointKeys } from './checkpoint-keys.ts';
import { dropOldEvents } from './drop-old-events.ts';

const intervalMs = 60 * 60_000;

/**
 * Takes away audit events that are older than an installation keeps them, hour by hour. Answers a function that stops it
 * behind the piece at work.
 */
export function startDropping({
  scopes,
  keyRing,
  logger,
  retentionMs,
}: {
  scopes: Scopes;
  keyRing: KeyRing;
  logger: Logger;
  retentionMs: number;
}): () => Promise<void> {
  const [key] = checkpointKeys(keyRing);
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();

  async function drop(): Promise<void> {
    if (!key) return;
    const count = await dropOldEvents({ scopes, key }, new Date(Date.now() - retentionMs), stop.signal);
    if (count > 0) logger.info({ count }, 'audit events that were old enough were taken away');
  }

  const run = () => {
    working = drop()
      .catch((error: unknown) =>
        logger.warn({ err: error }, 'old audit events were not taken away; the next time'),
      )
      .finally(() => {
        if (!stop.signal.aborted) timer = setTimeout(run, intervalMs);
      });
  };
  run();

  return async () => {
    stop.abort();
    clearTimeout(timer);
    await working;
  };
}
