import { APICallError, NoOutputGeneratedError, StreamProviderError } from 'ai';
import { ModelError } from './model-error.ts';
import { readRetryAfterMs } from './retry-after.ts';

/**
 * Names a failure of the SDK by kind. Of what the provider wrote only known codes go into the message: its sentences
 * quote keys and prompts.
 */
export function readFailure(name: string, error: unknown): ModelError {
  const own = findModelError(error);
  if (own) return own;
  if (APICallError.isInstance(error) && error.statusCode !== undefined && error.statusCode >= 400) {
    const retryAfterMs = readRetryAfterMs(error.responseHeaders ?? {});
    return fromStatus(name, error.statusCode, findCode(error.data), retryAfterMs);
  }
  if (StreamProviderError.isInstance(error)) {
    return fromStatus(name, error.statusCode ?? 500, findCode([error.code, error.type, error.data]));
  }
  return new ModelError('interrupted', `${name} sent an answer that cannot be read (${nameOf(error)}).`);
}

// The SDK wraps what our fetch throws, some of it twice.
function findModelError(error: unknown): ModelError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof ModelError) return at;
  }
  return undefined;
}

function fromStatus(name: string, status: number, code = '', retryAfterMs?: number): ModelError {
  const message = `${name} answered ${status}${code && ` (${code})`}.`;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (keyCodes.has(code)) return new ModelError('refused_key', message);
  if (filterCodes.has(code)) return new ModelError('filtered', message);
  if (status === 401 || status === 402 || status === 403) return new ModelError('refused_key', message);
  if (status === 429) return new ModelError('rate_limited', message, wait);
  if (status === 408 || status === 409 || status >= 500) return new ModelError('unavailable', message, wait);
  return new ModelError('bad_request', message);
}

/** Whatever the status: OpenAI says 429 for an account without credit, Google 400 for a wrong key. */
const keyCodes = new Set(['insufficient_quota', 'billing_error', 'invalid_api_key', 'API_KEY_INVALID']);
const filterCodes = new Set(['content_filter', 'content_policy_violation']);
const otherCodes = new Set([
  'api_error',
  'authentication_error',
  'context_length_exceeded',
  'invalid_request_error',
  'model_not_found',
  'not_found_error',
  'overloaded_error',
  'permission_error',
  'rate_limit_error',
  'rate_limit_exceeded',
  'request_too_large',
  'server_error',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'UNAUTHENTICATED',
]);

/** The most telling code in a provider's error: the one that decides the kind, else any known one. */
function findCode(data: unknown): string | undefined {
  const found = new Set<string>();
  collectTexts(data, found, 0);
  const isIn = (codes: ReadonlySet<string>) => [...found].find((text) => codes.has(text));
  return isIn(keyCodes) ?? isIn(filterCodes) ?? isIn(otherCodes);
}

function collectTexts(data: unknown, found: Set<string>, depth: number): void {
  if (typeof data === 'string') found.add(data);
  else if (data instanceof Object && depth < 5) {
    for (const value of Object.values(data)) collectTexts(value, found, depth + 1);
  }
}

function nameOf(error: unknown): string {
  if (NoOutputGeneratedError.isInstance(error)) return 'no text in it';
  return error instanceof Error ? error.name : typeof error;
}
