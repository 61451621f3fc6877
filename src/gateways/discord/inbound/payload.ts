/**
 * Reading what Discord sends, field by field. Each reader answers with the type that it promises or with nothing, so a
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

/** An id of Discord's. Whatever else would blur the keys that are put together from it. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? value : undefined;
}

/** The id of an interaction, which stands in keys only. */
export function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,512}$/.test(value) ? value : undefined;
}

/** What Discord calls a kind of something, fit for a log. */
export function kindOf(value: unknown): string {
  return /^\w{1,60}$/.test(String(value)) ? String(value) : 'unknown';
}

export function readJson(body: Buffer): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}
