import { setTimeout as sleep } from 'node:timers/promises';

/** @throws when there is no answer in time; it is not waited for then. */
export async function inTime<Answer>(answer: Promise<Answer>, timeoutMs: number): Promise<Answer> {
  const unanswered = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: unanswered.signal }).then(() => {
    throw new Error('There was no answer in time.');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => {});
    unanswered.abort();
  }
}

/** Sleep that can be ended from outside; a call that comes too early ends the next one. */
export function createNaps(): { nap(ms: number): Promise<void>; wake(): void } {
  let wanted = false;
  let end: (() => void) | undefined;
  return {
    async nap(ms) {
      if (!wanted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wanted = false;
      end = undefined;
    },
    wake() {
      wanted = true;
      end?.();
    },
  };
}
