import { setTimeout as sleep } from 'node:timers/promises';

const pauseMs = 25;

/**
 * Looks again and again until `look` no longer throws, and answers what it saw. How a test waits: for a condition, and
 * never for a time. `withinMs` is generous, because it only says when to give up.
 */
export async function eventually<T>(look: () => T | Promise<T>, withinMs = 30_000): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(pauseMs);
    }
  }
}
