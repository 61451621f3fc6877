import type { Service } from './a-service.ts';
import { inTenantOf } from './place-of.ts';

/** Has what waits to be tried again tried now: what a test does in the place of waiting for hours. */
export async function hurryWebhooks(service: Pick<Service, 'app'>, tenant = 'shop'): Promise<void> {
  await inTenantOf(service, tenant, async (unit) => {
    await unit.sql('UPDATE swarmgate.webhook_endpoints SET not_before = NULL');
    await unit.sql(
      'UPDATE swarmgate.webhook_deliveries SET due_at = clock_timestamp() WHERE due_at IS NOT NULL AND claim_expires_at IS NULL',
    );
  });
}
