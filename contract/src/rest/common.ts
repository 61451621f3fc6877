import { z } from 'zod';

/** What many calls of the REST API have in common. */

export const pageSizeDefault = 25;
export const pageSizeMax = 100;

/** The query of every list. */
export const pageQuery = z.strictObject({
  cursor: z.string().max(200).optional().meta({
    description: 'Where to go on: `nextCursor` of the page before. Its content is nobody’s business.',
  }),
  limit: z.coerce.number().int().min(1).max(pageSizeMax).default(pageSizeDefault),
});

/** A page of a list, and where the next one begins; null after the last. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A point in time. */
export const timestamp = z.iso.datetime().meta({ description: 'ISO 8601, in UTC' });

/** What a person calls something. One line. */
export const displayName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line');

export const slug = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'must be lower-case letters, digits and hyphens');

/** What goes wrong (RFC 9457). `errors` names the places of a request that were not understood. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});
