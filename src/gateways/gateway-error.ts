import { AppError } from '#domain/errors.ts';

/** Why a platform did not take a message. `rate_limited` and `unavailable` may be tried again; the others need a change. */
export type GatewayFailure =
  | 'rate_limited'
  | 'unavailable'
  | 'credentials_refused'
  | 'recipient_gone'
  | 'message_refused';

export class GatewayError extends AppError<`gateway_${GatewayFailure}`> {
  override readonly name = 'GatewayError';
  /** How long the platform asked to wait, when it did. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: GatewayFailure,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    const retry = failure === 'rate_limited' || failure === 'unavailable' ? 'later' : 'never';
    super(`gateway_${failure}`, message, { retry, cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}
