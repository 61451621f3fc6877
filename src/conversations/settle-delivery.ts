import { AppError } from '#domain/errors.ts';
import { GatewayError } from '#gateways/gateway-error.ts';
import { ChannelFullError } from './channel-slots.ts';
import type { DeliveryOutcome, OpenDelivery } from './delivery-journal.ts';

/** Attempts that failed. Those that were put off are not counted, but a message that is so old is given up all the same. */
const attemptsMax = 8;
const ageMsMax = 24 * 60 * 60_000;
const backoffMsMax = 60_000;
/** Whatever a platform asks for: no hot loop, and nothing that is forgotten. */
const delayMsMin = 1_000;
const delayMsMax = 60 * 60_000;
/** Who stands in line is called back before, unless the line is lost, or does not move. */
const inLineMsMin = 4_000;

/** What follows an attempt that failed, or that was put off after `tookMs`: another one later, or none. */
export function settleDelivery(error: unknown, delivery: OpenDelivery, tookMs: number): DeliveryOutcome {
  const known = error instanceof GatewayError ? error : undefined;
  const code = error instanceof AppError ? error.code : 'internal';
  const reason = error instanceof Error ? error.message : String(error);
  const described = {
    code: known?.platformCode === undefined ? code : `${code}/${known.platformCode}`,
    reason,
  };
  // What an interrupted attempt left open stays open until an attempt has ended well.
  const uncertain = delivery.interrupted || (known?.mayHaveArrived ?? false);
  const mayPass = !(error instanceof AppError) || error.retry === 'later';
  // A busy platform and a rule of ours are no failures of this message.
  const deferred = code === 'gateway_rate_limited' || code === 'gateway_not_now';
  const failures = delivery.attempt - delivery.deferrals;
  const tooOften = deferred ? Date.now() - delivery.queuedAtMs > ageMsMax : failures >= attemptsMax;
  if (!mayPass || tooOften) return { state: 'failed', uncertain, error: described };
  const repeats = deferred ? delivery.deferrals : Math.max(failures - 1, 0);
  // A platform that has not answered for so long may be at it still: it gets as long again before we look there.
  const patienceMs = known?.mayHaveArrived ? tookMs : 0;
  const firstMs = error instanceof ChannelFullError ? inLineMsMin : delayMsMin;
  const backoffMs = Math.max(Math.min(firstMs * 2 ** Math.min(repeats, 10), backoffMsMax), patienceMs);
  return {
    state: 'pending',
    // What waits for one platform does not come back all at once.
    delayMs: clamp((known?.retryAfterMs ?? backoffMs) * (1 + Math.random() / 4), delayMsMin, delayMsMax),
    deferred,
    uncertain,
    error: described,
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
