import { z } from 'zod';

/** A change as a JSON merge patch (RFC 7396) of something that has some fields. What comes of it is checked as a whole. */
export function mergePatchOf(fields: Iterable<string>) {
  return z.strictObject(
    Object.fromEntries([...fields].map((field) => [field, z.unknown().optional()])) as Record<
      string,
      z.ZodOptional<z.ZodUnknown>
    >,
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** What something becomes by a merge patch: what is null goes, what has fields of its own is merged, the rest is replaced. */
export function applyMergePatch(target: unknown, patch: Fields): Record<string, unknown> {
  const merged = new Map(Object.entries(isFields(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (value !== undefined)
      merged.set(name, isFields(value) ? applyMergePatch(merged.get(name), value) : value);
  }
  return Object.fromEntries(merged);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
