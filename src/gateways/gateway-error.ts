import { AppError } from '#domain/errors.ts';

/**
 * Why a platform did not take a message. `rate_limited`, `unavailable` and `not_now` may be tried again; the others need
 * a change.
 */
export type GatewayFailure =
  | 'rate_limited'
  | 'unavailable'
  /** By a rule of ours: quiet hours, a paused channel, the pace of the credential, a send that goes on in its next attempt. */
  | 'not_now'
  | 'credentials_refused'
  | 'recipient_gone'
  /** The person wants no messages. */
  | 'recipient_opted_out'
  /** The platform takes only a template now: the person has not written for too long. */
  | 'outside_window'
  | 'message_refused';

const passing: ReadonlySet<GatewayFailure> = new Set(['rate_limited', 'unavailable', 'not_now']);

export type GatewayErrorOptions = {
  retryAfterMs?: number;
  mayHaveArrived?: boolean;
  platformCode?: string;
  channelFault?: string;
  cause?: unknown;
};

export class GatewayError extends AppError<`gateway_${GatewayFailure}`> {
  override readonly name = 'GatewayError';
  /** How long the platform asked to wait, when it did. */
  readonly retryAfterMs: number | undefined;
  /** The platform may have taken it all the same: it gave no answer. */
  readonly mayHaveArrived: boolean;
  /** The platform's own code of it. */
  readonly platformCode: string | undefined;
  /** The channel is of no use until somebody has mended it: what happened and what to do, for the operator. */
  readonly channelFault: string | undefined;

  constructor(failure: GatewayFailure, message: string, options: GatewayErrorOptions = {}) {
    const retry = passing.has(failure) ? 'later' : 'never';
    super(`gateway_${failure}`, message, { retry, cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
    this.mayHaveArrived = options.mayHaveArrived ?? false;
    this.platformCode = options.platformCode;
    this.channelFault = options.channelFault;
  }
}

/** Whoever goes on with an answer has found the post that shows it, and made it the answer's own: it has to stay. */
export class PostTakenOverError extends AppError<'post_taken_over'> {
  override readonly name = 'PostTakenOverError';

  constructor() {
    super('post_taken_over', 'The post belongs to an attempt that came later.', { retry: 'later' });
  }
}

/** A webhook call that is not the platform's, or not for us. Nothing of it was read or kept. */
export class WebhookRejectedError extends AppError<'webhook_rejected'> {
  override readonly name = 'WebhookRejectedError';

  /** 401: nobody has proved who is calling; 403: somebody has, and may not say this. */
  readonly status: 401 | 403;

  /** `reason` is for the operator's log; who called learns nothing but the status. */
  constructor(reason: string, status: 401 | 403 = 401) {
    super('webhook_rejected', reason);
    this.status = status;
  }
}
