/** Runs what has the same key one after the other, and the rest at the same time. What fails holds nothing up. */
export function createInOrder() {
  const last = new Map<string, Promise<unknown>>();

  const run = async (key: string, work: () => Promise<void>): Promise<void> => {
    const before = last.get(key) ?? Promise.resolve();
    const running = before.catch(() => {}).then(work);
    last.set(key, running);
    try {
      await running;
    } finally {
      if (last.get(key) === running) last.delete(key);
    }
  };
  return Object.assign(run, { idle: () => Promise.allSettled([...last.values()]) });
}
