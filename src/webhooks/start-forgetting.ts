import type { Uuid } from '#domain/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';

const intervalMs = 10 * 60_000;
const keptMs = 30 * 24 * 3_600_000;
const tenantsMax = 1_000;
const batch = 500;

/** Forgets what webhooks were told once it is 30 days old, and what came of it. Answers a function that stops it. */
export function startForgettingWebhooks(parts: { scopes: Pick<Scopes, 'call'>; logger: Logger }): () => void {
  const timer = setInterval(() => {
    forgetWebhooks(parts.scopes, new Date(Date.now() - keptMs)).catch((error: unknown) =>
      parts.logger.warn({ err: error }, 'old webhooks were not forgotten; the next time'),
    );
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Forgets what was told before a time, except what still waits: of a tenant that is suspended it is sent when it goes on. */
export async function forgetWebhooks(scopes: Pick<Scopes, 'call'>, before: Date): Promise<void> {
  const tenants = await scopes.call<{ tenant_id: Uuid }>('swarmgate.old_webhooks_v1', [before, tenantsMax]);
  for (const { tenant_id } of tenants) {
    let forgotten = batch;
    while (forgotten === batch) {
      const [row] = await scopes.call<{ forget_webhooks_v1: number }>('swarmgate.forget_webhooks_v1', [
        ...[tenant_id, before, batch],
      ]);
      forgotten = row?.forget_webhooks_v1 ?? 0;
    }
  }
}
