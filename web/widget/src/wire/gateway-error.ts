/** Why a call to the gateway failed. `status` 0 means that no answer came at all. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly status: number;
  /** How long the gateway asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, retryAfterMs?: number) {
    super(reason);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Tells whether the same call may go through later. All that is not the gateway's word counts as a network failure. */
export function isTemporary(error: unknown): boolean {
  return !(error instanceof GatewayError) || error.status >= 500 || [0, 408, 425, 429].includes(error.status);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
