import { isUuid, type Uuid } from '#domain/ids.ts';
import { ProblemError } from '#kernel/problem.ts';

/** Where a page ends: the id of its last item, or its number. Row-level security, not this, keeps pages apart. */

export function cursorOf(last: string | number): string {
  return Buffer.from(JSON.stringify([last])).toString('base64url');
}

/** @throws {ProblemError} 400 for what is none of our cursors */
export function readIdCursor(cursor: string | undefined): Uuid | undefined {
  if (cursor === undefined) return undefined;
  const id = open(cursor);
  if (typeof id !== 'string' || !isUuid(id)) throw unknownCursor();
  return id;
}

/** @throws {ProblemError} 400 for what is none of our cursors */
export function readNumberCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const number = open(cursor);
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) throw unknownCursor();
  return number;
}

/** A page of `limit` items out of rows of which one more than that was asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => string | number,
  show: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(show), nextCursor: rows.length > limit && last ? cursorOf(placeOf(last)) : null };
}

function open(cursor: string): unknown {
  try {
    const [place] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    return place;
  } catch {
    return undefined;
  }
}

function unknownCursor(): ProblemError {
  return new ProblemError(
    400,
    'invalid_cursor',
    'Invalid cursor',
    'Send `nextCursor` of the page before as it was.',
  );
}
