import { vi } from 'vitest';

/** Gives a test a `localStorage` of its own, as a browser has it. End it with `vi.unstubAllGlobals()`. */
export function stubLocalStorage(): void {
  const methods = {
    getItem: (name: string) => entries[name] ?? null,
    setItem: (name: string, value: string) => {
      entries[name] = value;
    },
    removeItem: (name: string) => {
      delete entries[name];
    },
  };
  const entries: Record<string, string> = Object.create(methods);
  vi.stubGlobal('localStorage', entries);
  vi.stubGlobal('addEventListener', () => undefined);
}
