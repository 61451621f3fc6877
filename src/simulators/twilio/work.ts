/** Knows what is still under way. */
export function trackWork(closing: AbortSignal) {
  const open = new Set<Promise<void>>();
  const closed = new Promise<void>((resolve) => closing.addEventListener('abort', () => resolve()));
  return {
    track(work: Promise<void>): void {
      open.add(work);
      void work.finally(() => open.delete(work));
    },
    /** Waits until nothing is, which new work puts off. */
    async settled(): Promise<void> {
      while (open.size > 0 && !closing.aborted) await Promise.race([Promise.all(open), closed]);
    },
  };
}
