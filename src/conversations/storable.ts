/**
 * Text as Postgres can hold it: every character but NUL, and no half of a surrogate pair. One that it cannot hold would
 * fail everything that goes to the database with it.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

/** A value as JSON that a `jsonb` column can hold. Names of members are ours and stay as they are. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? storableText(part) : part,
  );
}
