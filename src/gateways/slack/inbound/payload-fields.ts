/**
 * Reading what Slack sends, field by field. Each reader answers with the type that it promises or with nothing, so a
 * field that is missing, null or of another type is the same to its caller.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** An object's fields; none when it is anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The objects in a list. */
export function rowsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** A text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** An id of Slack's: of a user, a channel, a file. Whatever else would blur the keys that are put together from it. */
export function idOf(value: unknown): string | undefined {
  return matching(value, /^[A-Za-z0-9_-]{1,64}$/);
}

/** The time stamp that identifies a message in its channel: `1767224888.280449`. */
export function timeStampOf(value: unknown): string | undefined {
  return matching(value, /^\d{1,16}\.\d{1,16}$/);
}

/** What Slack calls a kind of something, fit for a log. */
export function kindOf(value: unknown): string {
  return matching(value, /^[A-Za-z0-9_]{1,60}$/) ?? 'unknown';
}

function matching(value: unknown, form: RegExp): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}
