import type { z } from 'zod';
import { ProblemError } from '#kernel/problem.ts';
import type { ForbiddenUrlError } from '#kernel/url-guard.ts';

/** What a call of the API is refused with, each in one place. */

/** The same for what is not there, what is another tenant's, and an id of another form. */
export function notFound(): ProblemError {
  return new ProblemError(
    404,
    'not_found',
    'Not found',
    'There is nothing of that id that you have access to.',
  );
}

export function unauthorized(code: string, detail: string): ProblemError {
  return new ProblemError(401, code, 'Not authorized', detail, { 'WWW-Authenticate': 'Bearer' });
}

export function forbidden(reason: string): ProblemError {
  return new ProblemError(403, 'forbidden', 'Forbidden', reason);
}

export function conflict(code: string, detail: string): ProblemError {
  return new ProblemError(409, code, 'Conflict', detail);
}

/** What was changed is not what the caller has seen. */
export function versionChanged(): ProblemError {
  return new ProblemError(
    412,
    'version_changed',
    'Changed meanwhile',
    'It is not the version that If-Match names; read it anew and decide again.',
  );
}

/** The places of a request that its schema does not take; `where` is the part of the request. */
export function invalidRequest(where: 'body' | 'query', error: z.ZodError): ProblemError {
  const errors = error.issues.slice(0, 20).map(({ path, message }) => ({
    pointer: [where, ...path]
      .map((step) => `/${pointerStep(step)}`)
      .join('')
      .slice(0, 500),
    detail: message.slice(0, 500),
  }));
  return new ProblemError(
    400,
    'invalid_request',
    'Invalid request',
    `The ${where} is not what this call takes: see "errors".`,
    {},
    errors,
  );
}

/** An address that a tenant gave and that leads where none may lead. */
export function forbiddenUrl({ code, message }: ForbiddenUrlError): ProblemError {
  return new ProblemError(400, code, 'Invalid request', message);
}

function pointerStep(step: PropertyKey): string {
  return String(step).replaceAll('~', '~0').replaceAll('/', '~1');
}
