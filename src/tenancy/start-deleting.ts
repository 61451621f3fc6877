import { retireChannels } from './retire-channels.ts';
import { type DeletionParts, deleteDue } from './tenant-deletion.ts';

const intervalMs = 5_000;

/**
 * Deletes tenants and organizations whose time is over, as soon as it is, and removes channels that were handed over.
 * Several schedulers may do so at once: what one has deleted the other does not find. Answers a function that stops it behind the batch at work.
 */
export function startDeleting(parts: DeletionParts): () => Promise<void> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let working = Promise.resolve();

  async function work(): Promise<void> {
    await retireChannels(parts).catch((error: unknown) =>
      parts.logger.warn(
        { err: error },
        'channels that were handed over are still there; the next look follows',
      ),
    );
    await deleteDue(parts, stop.signal);
  }

  const run = () => {
    working = work()
      .catch((error: unknown) =>
        parts.logger.warn({ err: error }, 'what is to be deleted was not found out; the next look follows'),
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
