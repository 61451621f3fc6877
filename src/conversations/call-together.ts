import { createBatcher } from '#kernel/batcher.ts';
import { StorageUnavailableError } from '#tenancy/scope-errors.ts';

/** A row of the item is somebody else's at the moment: a batch waits for nobody. */
export const busy = Symbol('busy');

export type CallTogether<Item, Result> = {
  /** Calls the database once for all of them; answers in order. */
  together: (items: readonly Item[]) => Promise<(Result | typeof busy)[]>;
  /** The same for one, and waits. */
  alone: (item: Item) => Promise<Result>;
};

/** Items of one statement. They share its commit, so the last one waits for all that are before it. */
const batchSizeMax = 50;

/**
 * Sends to the database together what comes while a call of its kind is under way. What cannot go with the others goes
 * alone: what is busy, and each of a batch that was refused because of one of them.
 */
export function createCallTogether<Item, Result>({
  together,
  alone,
}: CallTogether<Item, Result>): (item: Item) => Promise<Result> {
  type Answer = { result: Result | typeof busy };
  const inBatches = createBatcher<Item, Answer>(async (items) => {
    try {
      return (await together(items)).map((result) => ({ result }));
    } catch (error) {
      if (items.length === 1 || !wasUndone(error)) throw error;
      return items.map(() => ({ result: busy }));
    }
  }, batchSizeMax);

  return async (item) => {
    const { result } = await inBatches(item);
    return result === busy ? alone(item) : result;
  };
}

/** Of what failed by the database's own word, nothing was committed; of what was cut off, nobody knows. */
function wasUndone(error: unknown): boolean {
  if (!(error instanceof StorageUnavailableError)) return true;
  const { code } = error.cause as { code?: string };
  return code !== undefined && /^(?:40|55)|^57014$/.test(code);
}

/** Reads one column of the parameters of a batch. */
export function columnsOf<Item>(
  items: readonly Item[],
  ...columns: readonly ((item: Item) => unknown)[]
): unknown[][] {
  return columns.map((read) => items.map(read));
}

/** Puts the rows of a batch in the order of its items. */
export function inOrder<Row extends { ordinal: number }, Result>(
  rows: readonly Row[],
  count: number,
  read: (row: Row) => Result,
): Result[] {
  const results: Result[] = new Array(count);
  for (const row of rows) results[row.ordinal - 1] = read(row);
  if (rows.length !== count)
    throw new TypeError(`A batch of ${count} was answered with ${rows.length} rows.`);
  return results;
}
