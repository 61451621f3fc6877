import { AppError } from '#domain/errors.ts';

export type ProblemDetail = { pointer: string; detail: string };

/**
 * A request that is refused, as its sender is told (RFC 9457). `detail` is a sentence for the person who wrote the
 * client: what is wrong and what to do.
 */
export class ProblemError extends AppError {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The places of the request that were not understood, by JSON pointer (RFC 6901). */
  readonly errors: readonly ProblemDetail[];

  constructor(
    status: number,
    code: string,
    title: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    errors: readonly ProblemDetail[] = [],
  ) {
    super(code, detail, { retry: status === 429 || status >= 500 ? 'later' : 'never' });
    this.status = status;
    this.title = title;
    this.headers = headers;
    this.errors = errors;
  }
}

/** 429 with `Retry-After` in whole seconds, rounded up, and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11). */
export function tooManyRequests(retryAfterMs: number, what: string): ProblemError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new ProblemError(429, 'rate_limited', 'Too many requests', `${what} Try again in ${seconds} s.`, {
    'Retry-After': String(seconds),
    RateLimit: `"default";r=0;t=${seconds}`,
  });
}
