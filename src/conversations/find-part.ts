import type { Uuid } from '#domain/ids.ts';
import type { ChannelPlace } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';

/** Which delivery of a tenant a platform's id of a post is a part of; `undefined`: of none. */
export function createFindPart(scopes: Scopes) {
  return ({ tenantId, channelId }: ChannelPlace, externalId: string): Promise<Uuid | undefined> =>
    scopes.inTenant(tenantId, async (unit) => {
      const [row] = await unit.sql<{ id: Uuid }>(
        `SELECT d.id FROM swarmgate.delivery_parts p
           JOIN swarmgate.deliveries d ON d.tenant_id = p.tenant_id AND d.id = p.delivery_id
           WHERE p.external_id = $1 AND d.channel_id = $2 LIMIT 1`,
        [externalId, channelId],
      );
      return row?.id;
    });
}
