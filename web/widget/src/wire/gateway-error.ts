/** Why a call to the gateway failed. `status` 0 means that no answer came at all. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  readonly code: string;
  /** How long the gateway asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, code: string, reason: string, retryAfterMs?: number) {
    super(reason);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

const statusesThatPass = new Set([0, 408, 425, 429]);

/** Tells whether the same call may go through later. All that is not the gateway's word counts as a network failure. */
export function isTemporary(error: unknown): boolean {
  return !(error instanceof GatewayError) || statusesThatPass.has(error.status) || error.status >= 500;
}
