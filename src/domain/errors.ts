/**
 * Whether trying again can help: `never` (the input or the set-up must change), `later` (the same call may go
 * through after a while).
 */
export type Retry = 'never' | 'later';

/**
 * The base of every error that this project raises on purpose. `code` is a literal that callers may switch on,
 * `message` is a sentence for logs and operators: what is wrong, where, and what to do. It never holds a secret or
 * a visitor's text.
 */
export class AppError<Code extends string = string> extends Error {
  override readonly name: string = 'AppError';
  readonly code: Code;
  readonly retry: Retry;

  constructor(code: Code, message: string, options: { retry?: Retry; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? 'never';
  }
}
