import { AppError } from '#domain/errors.ts';

/**
 * Why a model gave no whole answer. `rate_limited`, `unavailable`, `timeout` and `interrupted` may be tried again;
 * `refused_key`, `bad_request`, `not_configured` and `filtered` need a change first.
 */
export type ModelFailure =
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'interrupted'
  | 'refused_key'
  | 'bad_request'
  | 'not_configured'
  | 'filtered';

const retryable: ReadonlySet<ModelFailure> = new Set([
  'rate_limited',
  'unavailable',
  'timeout',
  'interrupted',
]);

/**
 * A model's failure, by kind. The message names the model and the status, never a key or a text; for the same reason
 * it has no cause: the SDKs' errors carry the whole request.
 */
export class ModelError extends AppError<`model_${ModelFailure}`> {
  override readonly name = 'ModelError';
  readonly failure: ModelFailure;
  /** How long the provider asked to wait, when it did. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: ModelFailure, message: string, options: { retryAfterMs?: number } = {}) {
    super(`model_${failure}`, message, { retry: retryable.has(failure) ? 'later' : 'never' });
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}
