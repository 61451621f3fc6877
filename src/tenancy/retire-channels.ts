import type { AuditTrail } from '#audit/audit-trail.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import { removeChannel } from './channel-life.ts';
import type { Scopes } from './scopes.ts';

/** What a channel had begun when its accounts were handed over has ended by then, or does not any more. */
const afterMsDefault = 60 * 60_000;
const lookMax = 50;

/** Removes channels whose accounts were handed over a while ago, with the secrets that could still speak for them. */
export async function retireChannels(
  { scopes, trail }: { scopes: Scopes; trail: AuditTrail },
  afterMs: number = afterMsDefault,
): Promise<number> {
  const due = await scopes.call<{ tenant_id: Uuid; channel_id: Uuid }>('swarmgate.given_up_channels_v1', [
    afterMs,
    lookMax,
  ]);
  for (const { tenant_id: tenantId, channel_id: channelId } of due) {
    const event = await trail.prepare(tenantId, {
      actor: { kind: 'system' },
      action: 'removeChannel',
      resource: { kind: 'channels', id: toWire('channel', channelId) },
      outcome: 'allowed',
      reason: 'Its accounts were handed over to another tenant.',
    });
    await scopes.inTenant(tenantId, async (unit) => {
      await removeChannel(unit, channelId);
      await trail.append(unit, tenantId, event);
    });
  }
  return due.length;
}
