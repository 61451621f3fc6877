/** Remembers when people last wrote to which number. */
export function rememberWriting(now: () => Date) {
  const times = new Map<string, Date>();
  const key = (number: string, person: string) => `${number} ${person}`;
  const lastAt = (number: string, person: string) => times.get(key(number, person));
  return {
    note: (number: string, person: string) => void times.set(key(number, person), now()),
    lastAt,
    /** Of some numbers, the one that a person wrote to last: what a service goes on with. */
    lastNumber: (numbers: readonly string[], person: string) =>
      numbers
        .filter((number) => lastAt(number, person))
        .sort((a, b) => Number(lastAt(b, person)) - Number(lastAt(a, person)))[0],
  };
}
