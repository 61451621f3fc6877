import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';

const intervalMs = 10 * 60_000;

/**
 * Takes away sessions, links, challenges and counters that have ended and are of no more use. Answers a function that stops
 * it.
 */
export function startForgetting({
  scopes,
  logger,
}: {
  scopes: Pick<Scopes, 'call'>;
  logger: Logger;
}): () => void {
  const timer = setInterval(() => {
    Promise.all([
      scopes.call('identity.forget_ended_v1', []),
      scopes.call('identity.forget_passkey_ceremonies_v1', []),
    ]).catch((error: unknown) =>
      logger.warn({ err: error }, 'what has ended was not taken away; the next time'),
    );
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
