import type { z } from 'zod';
import { ProblemError } from '#kernel/problem.ts';

/** Reads a JSON body by its schema. @throws {ProblemError} 400 that names the field. */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new ProblemError(
    400,
    'invalid_body',
    'Invalid body',
    `${field === '' ? 'The body' : `"${field}"`}: ${issue?.message ?? 'not as expected'}.`,
  );
}
