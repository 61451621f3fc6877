import type { AuditTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { type DisabledReason, disableWebhook } from './endpoints.ts';

const reasons = {
  gone: 'Its receiver answered that it is gone (410).',
  failing: 'Its receiver has taken nothing for days.',
} as const satisfies Partial<Record<DisabledReason, string>>;

/** Stops an endpoint because of what its receiver does, and tells the tenant's trail of it. */
export async function disableFailing(
  { scopes, trail }: { scopes: Scopes; trail: AuditTrail },
  { tenantId, webhookId }: { tenantId: Uuid; webhookId: Uuid },
  reason: keyof typeof reasons,
): Promise<void> {
  const event = await trail.prepare(tenantId, {
    actor: { kind: 'system' },
    action: 'webhook.disabled',
    resource: { kind: 'webhooks', id: toWire('webhook', webhookId) },
    outcome: 'allowed',
    reason: reasons[reason],
    detail: { disabledReason: reason },
  });
  await scopes.inTenant(tenantId, async (unit) => {
    if (await disableWebhook(unit, webhookId, reason)) await trail.append(unit, tenantId, event);
  });
}
