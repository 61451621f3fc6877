import type { AuditTrail } from '#audit/audit-trail.ts';
import type { Uuid } from '#domain/ids.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { disableFailing } from './disable-failing.ts';
import { retryDelayMs } from './retry-schedule.ts';
import { type AttemptError, type AttemptOutcome, type ClaimedWebhook, sendWebhook } from './send-webhook.ts';

export type WebhooksParts = {
  scopes: Scopes;
  trail: AuditTrail;
  keyRing: Pick<KeyRing, 'open'>;
  /** For addresses of tenants. */
  fetch: typeof globalThis.fetch;
  allowedHosts: readonly string[];
  logger: Logger;
  /** Counts an attempt by what came of it. */
  onAttempt: (outcome: 'delivered' | 'interrupted' | AttemptError) => void;
  /** How often it looks, and how long a receiver may take; usual values when absent. */
  intervalMs?: number;
  timeoutMs?: number;
  claimMs?: number;
};

const intervalMsDefault = 1_000;
/** What ends has made room: that is looked at soon, and what ends at the same moment together with it. */
const soonMs = 20;
const timeoutMsDefault = 15_000;
/** What was claimed is free again after so long; whoever sends has recorded it by then. */
const claimMsDefault = 30_000;
/** What one process has on its way, in all and of one tenant. Endpoints that take nothing have half of it at most. */
const sendsMax = 200;
const sendsOfTenantMax = 10;
const lookMax = 200;
const tellMax = 200;
/** An endpoint that has taken nothing for so long is stopped. */
const failingMsMax = 5 * 24 * 3_600_000;
/** How long one that has too much to do is let alone, where it does not say. */
const restMsDefault = 5_000;

type Place = { tenantId: Uuid; webhookId: Uuid };
type Work = {
  kind: 'untold' | 'due';
  tenant_id: Uuid;
  endpoint_id: Uuid | null;
  is_failing: boolean;
};

/**
 * Makes events of what there is to tell, and sends them where they are wanted, until it is stopped. Any number of
 * processes do so beside each other. Answers a function that stops it: what is on its way gets `drainMs` to arrive, and
 * what does not is sent again by whoever claims it next.
 */
export function startWebhooks(parts: WebhooksParts): (drainMs: number) => Promise<void> {
  const { scopes, logger, intervalMs = intervalMsDefault, claimMs = claimMsDefault } = parts;
  const stop = new AbortController();
  const sends = new Set<Promise<void>>();
  const all = { sends: 0, failing: 0 };
  const ofTenant = new Map<Uuid, typeof all>();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  let isWanted = false;
  let stopped = false;

  const look = async () => {
    const full = [...ofTenant].filter(([, { sends }]) => sends >= sendsOfTenantMax).map(([id]) => id);
    const work = await scopes.call<Work>('swarmgate.webhook_work_v1', [full, lookMax]);
    for (const { kind, tenant_id: tenantId, endpoint_id: webhookId, is_failing: isFailing } of work) {
      if (stopped) return;
      const doing =
        kind === 'due' && webhookId !== null ? send({ tenantId, webhookId }, isFailing) : tell(tenantId);
      // What one tenant's cannot do now is not in the way of the others'.
      await doing.catch((error: unknown) =>
        logger.warn({ err: error, tenantId }, 'a webhook was not got to; the next look follows'),
      );
    }
  };

  async function tell(tenantId: Uuid): Promise<void> {
    const [row] = await scopes.call<{ tell_untold_v1: number }>('swarmgate.tell_untold_v1', [
      ...[tenantId, tellMax],
    ]);
    // What it has made is due at once, and there may be more of it.
    if (row && row.tell_untold_v1 > 0) isWanted = true;
  }

  async function send(place: Place, isFailing: boolean): Promise<void> {
    const own = ofTenant.get(place.tenantId) ?? { sends: 0, failing: 0 };
    const room = Math.min(
      ...[sendsMax - all.sends, sendsOfTenantMax - own.sends],
      ...(isFailing ? [sendsMax / 2 - all.failing, sendsOfTenantMax / 2 - own.failing] : []),
    );
    if (room <= 0) return;
    const claimed = await scopes.call<ClaimedWebhook>('swarmgate.claim_webhooks_v1', [
      ...[place.tenantId, place.webhookId, claimMs, room],
    ]);
    for (const webhook of claimed) {
      if (webhook.interrupted) parts.onAttempt('interrupted');
      count(place.tenantId, isFailing, 1);
      const sending = attempt(parts, stop.signal, place, webhook)
        .catch((error: unknown) =>
          logger.warn({ err: error, tenantId: place.tenantId }, 'what came of a webhook was not recorded'),
        )
        .finally(() => {
          sends.delete(sending);
          count(place.tenantId, isFailing, -1);
          lookSoon();
        });
      sends.add(sending);
    }
  }

  function count(tenantId: Uuid, isFailing: boolean, by: 1 | -1): void {
    const own = ofTenant.get(tenantId) ?? { sends: 0, failing: 0 };
    for (const counts of [all, own]) {
      counts.sends += by;
      if (isFailing) counts.failing += by;
    }
    if (own.sends === 0) ofTenant.delete(tenantId);
    else ofTenant.set(tenantId, own);
  }

  const run = () => {
    timer = undefined;
    looking = look()
      .catch((error: unknown) =>
        logger.warn({ err: error }, 'a look at what webhooks are to be told failed; the next one follows'),
      )
      .finally(() => {
        if (!stopped) timer = setTimeout(run, isWanted ? soonMs : intervalMs);
        isWanted = false;
      });
  };

  function lookSoon(): void {
    isWanted = true;
    if (timer === undefined || stopped) return;
    clearTimeout(timer);
    timer = setTimeout(run, soonMs);
    isWanted = false;
  }

  run();

  return async (drainMs) => {
    stopped = true;
    clearTimeout(timer);
    await looking;
    await within(drainMs, Promise.all(sends));
    stop.abort();
    await Promise.all(sends);
  };
}

async function attempt(
  { scopes, trail, keyRing, fetch, allowedHosts, logger, onAttempt, ...parts }: WebhooksParts,
  stop: AbortSignal,
  place: Place,
  webhook: ClaimedWebhook,
): Promise<void> {
  const { timeoutMs = timeoutMsDefault } = parts;
  const outcome = await sendWebhook({ fetch, keyRing, allowedHosts, timeoutMs, stop }, place, webhook);
  // Nobody knows what became of it; whoever claims it next says so.
  if (stop.aborted && outcome.outcome === 'failed') return;
  const { delayMs, restMs } = whatNext(outcome, webhook.tries);
  const error = outcome.outcome === 'failed' ? outcome.error : undefined;
  const [recorded] = await scopes.call<{ record_webhook_v1: 'recorded' | 'failing' | null }>(
    'swarmgate.record_webhook_v1',
    [
      ...[place.tenantId, place.webhookId, webhook.event_id, webhook.claim, outcome.outcome],
      ...[outcome.durationMs, outcome.status ?? null, error ?? null, outcome.answer ?? null],
      ...[delayMs ?? null, restMs ?? null, failingMsMax],
    ],
  );
  const came = recorded?.record_webhook_v1;
  if (came === null || came === undefined) return;
  onAttempt(error ?? 'delivered');
  if (error === undefined) return;
  const { tenantId, webhookId } = place;
  logger.debug(
    { tenantId, webhookId, code: error, status: outcome.status, attempt: webhook.tries, delayMs },
    'a webhook was not taken',
  );
  if (error === 'secret_not_opened')
    logger.error({ tenantId, webhookId }, 'the secret of a webhook does not open with these master keys');
  if (error === 'answered_gone') await disableFailing({ scopes, trail }, place, 'gone');
  else if (came === 'failing') await disableFailing({ scopes, trail }, place, 'failing');
}

/** Answers of a receiver that has too much to do: it is let alone with everything. */
const busyStatuses: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);

function whatNext(
  outcome: AttemptOutcome,
  tries: number,
): { delayMs?: number | undefined; restMs?: number | undefined } {
  if (outcome.outcome === 'delivered' || outcome.error === 'answered_gone') return {};
  const { status, retryAfterMs } = outcome;
  return {
    delayMs: retryDelayMs(tries, retryAfterMs),
    restMs: busyStatuses.has(status) ? (retryAfterMs ?? restMsDefault) : undefined,
  };
}
