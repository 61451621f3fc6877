const firstMs = 1_000;
const maxMs = 60_000;
/** A socket that was good for so long is no failure when it ends. */
const steadyMs = 10_000;

/**
 * How long to wait before the next connection. The first time there is no wait: Discord closes good sockets as well.
 * A session that was resumed begins anew with that; a new one only once it has lasted.
 */
export function createBackoff(random: () => number = Math.random) {
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    resumed(): void {
      clearTimeout(timer);
      failures = 0;
    },
    ready(): void {
      clearTimeout(timer);
      timer = setTimeout(() => {
        failures = 0;
      }, steadyMs);
      timer.unref();
    },
    closed(): void {
      clearTimeout(timer);
      failures += 1;
    },
    /** Half of it by chance, so that many bots do not come back at one moment. */
    delayMs(): number {
      if (failures <= 1) return 0;
      return Math.min(firstMs * 2 ** (failures - 2), maxMs) * (0.5 + random() / 2);
    },
  };
}
