/** A `localStorage` for tests, as browsers have it: its entries are properties, its methods are not. */
export function fakeLocalStorage(): Record<string, string> {
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
  return entries;
}
