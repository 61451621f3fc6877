/** Chances that come out the same for the same seed, on every machine: what makes a failing run repeatable. */
export type Random = {
  /** From 0 up to 1, which is never reached. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Whether something happens that has this share. */
  chance(share: number): boolean;
};

/**
 * One stream of chances. `name` keeps streams of the same seed apart, so that one more fault does not change the load.
 * (Mulberry32: 32 bits of state are enough for a few hundred choices.)
 */
export function createRandom(seed: number, name: string): Random {
  let state = hash(`${seed}/${name}`);

  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));

  return {
    next,
    between,
    pick<Item>(items: readonly Item[]) {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
    chance: (share) => next() < share,
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return state;
}
