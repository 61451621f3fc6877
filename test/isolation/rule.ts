/**
 * A rule that the catalogue must keep. `query` answers what is to be judged in a column `found`, and whatever else
 * `judge` reads; without `judge` every row is a hole.
 */
export type Rule = {
  name: string;
  query: string;
  judge?: (rows: readonly Found[]) => readonly string[];
};

export type Found = { found: string } & Record<string, unknown>;

/** Judges what is there by a list: more than it names is a hole, and less means that the list tells of something gone. */
export function exactly(expected: Iterable<string>): (rows: readonly Found[]) => string[] {
  const listed = new Set(expected);
  return (rows) => {
    const there = new Set(rows.map(({ found }) => found));
    return [
      ...[...there].filter((object) => !listed.has(object)).map((object) => `${object} is not on the list`),
      ...[...listed].filter((object) => !there.has(object)).map((object) => `${object} is not there`),
    ];
  };
}
