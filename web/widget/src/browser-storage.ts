/**
 * `localStorage` or `sessionStorage` under a prefix. A browser may forbid it (frames of third parties, a full disk):
 * then nothing is kept, and the chat lasts as long as the page.
 */
export class BrowserStorage {
  readonly #prefix: string;
  readonly #area: Storage | undefined;

  constructor(prefix: string, areaName: 'localStorage' | 'sessionStorage') {
    this.#prefix = prefix;
    this.#area = openArea(areaName);
  }

  get(name: string): string | undefined {
    return this.#area?.getItem(this.#prefix + name) ?? undefined;
  }

  set(name: string, value: string): void {
    try {
      this.#area?.setItem(this.#prefix + name, value);
    } catch {
      // Full: see above.
    }
  }

  remove(name: string): void {
    this.#area?.removeItem(this.#prefix + name);
  }

  /** The names that begin with `start`. */
  names(start = ''): string[] {
    return Object.keys(this.#area ?? {})
      .filter((name) => name.startsWith(this.#prefix + start))
      .map((name) => name.slice(this.#prefix.length));
  }

  clear(): void {
    for (const name of this.names()) this.remove(name);
  }

  /** Calls back when another tab changes the value. */
  onChange(name: string, listener: () => void): void {
    addEventListener('storage', (event) => {
      if (event.key === this.#prefix + name) listener();
    });
  }
}

function openArea(name: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}
