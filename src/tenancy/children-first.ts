/** The names of tables in an order in which they can be emptied: those first that refer to others. */
export function childrenFirst(tables: readonly { name: string; parents: readonly string[] }[]): string[] {
  const left = new Map(tables.map(({ name, parents }) => [name, parents]));
  const ordered: string[] = [];
  while (left.size > 0) {
    const free = [...left.keys()].filter((name) =>
      [...left.values()].every((parents) => !parents.includes(name)),
    );
    if (free.length === 0) throw new TypeError('Tables refer to each other in a circle.');
    for (const name of free) left.delete(name);
    ordered.push(...free);
  }
  return ordered;
}
