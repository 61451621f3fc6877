import type { WebhookData, WebhookEventType } from '@swarmgate/contract/webhook-events.ts';
import { newId, type Uuid } from '#domain/ids.ts';
import type { Unit } from '#tenancy/scopes.ts';

/** Something that a tenant's webhooks are told of. */
export type ToldEvent = {
  [Type in WebhookEventType]: { type: Type; data: WebhookData<Type> };
}[WebhookEventType];

/**
 * Keeps an event for every endpoint of the tenant that wants it, in the unit that makes it happen, so that there is neither
 * without the other. The unit is the tenant's, or has stepped down into it.
 */
export async function tellWebhooks(unit: Unit, tenantId: Uuid, { type, data }: ToldEvent): Promise<void> {
  await unit.sql('SELECT swarmgate.tell_webhooks($1, $2, $3, clock_timestamp(), $4, NULL)', [
    tenantId,
    newId(),
    type,
    JSON.stringify(data),
  ]);
}
