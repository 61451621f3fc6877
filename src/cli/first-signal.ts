/** Some supervisors send their signal to the group and to the process: what comes within this time is the same wish. */
const sameWishMs = 1_000;

/** Resolves at the first signal that says stop. A later one means that it should not take any longer. */
export function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > sameWishMs) process.exit(1);
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}
