/**
 * `localStorage` under a prefix. Where a browser forbids it (third-party frames, private windows, a full disk), the
 * same calls keep their values in memory: the chat then lasts as long as the page.
 */
export class BrowserStorage {
  readonly #prefix: string;
  readonly #area: Storage | undefined;
  readonly #memory = new Map<string, string>();

  constructor(prefix: string, areaName: 'localStorage' | 'sessionStorage' = 'localStorage') {
    this.#prefix = prefix;
    this.#area = openArea(areaName);
  }

  get(name: string): string | undefined {
    return this.#memory.get(name) ?? this.#area?.getItem(this.#prefix + name) ?? undefined;
  }

  set(name: string, value: string): void {
    try {
      if (!this.#area) throw new Error('no storage');
      this.#area.setItem(this.#prefix + name, value);
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, value);
    }
  }

  remove(name: string): void {
    this.#memory.delete(name);
    this.#area?.removeItem(this.#prefix + name);
  }

  /** The names that begin with `start`. */
  names(start = ''): string[] {
    const stored = Object.keys(this.#area ?? {})
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => name.slice(this.#prefix.length));
    return [...new Set([...stored, ...this.#memory.keys()])].filter((name) => name.startsWith(start));
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
