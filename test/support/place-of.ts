import type { Uuid } from '#domain/ids.ts';
import type { ChannelPlace } from '#gateways/journey.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { Unit } from '#tenancy/scopes.ts';
import type { Service } from './a-service.ts';

/** Reads what a tenant has in the database, as a test must see it: not through the service. */
export function inTenantOf<T>(
  { app }: Pick<Service, 'app'>,
  tenantSlug: string,
  read: (unit: Unit, tenantId: Uuid) => Promise<T>,
): Promise<T> {
  return app.storage.scopes.inPlatform(async (unit) => read(unit, await enterTenant(unit, tenantSlug)));
}

/** A channel by its slug. */
export function placeOf(
  service: Pick<Service, 'app'>,
  channelSlug: string,
  tenantSlug = 'shop',
): Promise<ChannelPlace> {
  return inTenantOf(service, tenantSlug, async (unit, tenantId) => {
    const [channel] = await unit.sql<{ id: Uuid; platform: ChannelPlace['platform'] }>(
      'SELECT id, platform FROM swarmgate.channels WHERE slug = $1',
      [channelSlug],
    );
    if (!channel) throw new Error(`There is no channel "${channelSlug}".`);
    return { tenantId, channelId: channel.id, platform: channel.platform };
  });
}
