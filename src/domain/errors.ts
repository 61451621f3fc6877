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

/** Something in a request, a file or a setting is not as it must be. `pointer` says where (a JSON pointer or a path). */
export class InvalidInputError extends AppError<'invalid_input'> {
  override readonly name = 'InvalidInputError';
  readonly pointer: string | undefined;

  constructor(message: string, pointer?: string) {
    super('invalid_input', message);
    this.pointer = pointer;
  }
}

/** The object does not exist, or belongs to another tenant: the two must not be told apart. */
export class NotFoundError extends AppError<'not_found'> {
  override readonly name = 'NotFoundError';

  constructor(message = 'There is no such object.') {
    super('not_found', message);
  }
}
