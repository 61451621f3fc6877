import { GatewayError } from '../../gateway-error.ts';

/** Begins nothing that the claim has no time for. @throws {GatewayError} `not_now` */
export function refuseLate(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new GatewayError('not_now', 'The message goes on in the next attempt.', { retryAfterMs: 0 });
}
