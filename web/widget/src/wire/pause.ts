/** A wait that can be cut short: by `wake`, when the network is back or something changed, or by its signal. */
export class Pause {
  #wake: (() => void) | undefined;

  /** Resolves after `ms`, on `wake`, or when the signal aborts. */
  async for(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    signal?.addEventListener('abort', () => resolve(), { once: true });
    if (signal?.aborted) resolve();
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  wake(): void {
    this.#wake?.();
  }
}
