import { isUuid, type Uuid } from '#domain/ids.ts';
import { ProblemError } from '#kernel/problem.ts';

/** Where a page ends: the id of its last item, or its number. Row-level security, not this, keeps pages apart. */

export function cursorOf(last: string | number): string {
  return Buffer.from(JSON.stringify([last])).toString('base64url');
}

/**
 * The place in a cursor, as `read` understands it; `undefined` without one. @throws {ProblemError} 400 for what is none of
 * our cursors
 */
export function readCursor<Place>(
  cursor: string | undefined,
  read: (place: unknown) => Place | undefined,
): Place | undefined {
  if (cursor === undefined) return undefined;
  const place = read(open(cursor));
  if (place === undefined)
    throw new ProblemError(
      400,
      'invalid_cursor',
      'Invalid cursor',
      'Send `nextCursor` of the page before as it was.',
    );
  return place;
}

export function readIdCursor(cursor: string | undefined): Uuid | undefined {
  return readCursor(cursor, (id) => (typeof id === 'string' && isUuid(id) ? id : undefined));
}

export function readNumberCursor(cursor: string | undefined): number | undefined {
  return readCursor(cursor, (number) =>
    typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined,
  );
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
