import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Channel, Platform } from '#gateways/gateway.ts';
import type { ChannelDirectory, OpenChannel } from '#gateways/journey.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Scopes } from './scopes.ts';
import { channelSecretPlace } from './seal-places.ts';

/** What was changed elsewhere is seen by every process within this time. */
const ttlMs = 1_000;
const cachedChannelsMax = 10_000;

type StoredChannel = {
  tenantId: Uuid;
  id: Uuid;
  platform: Channel['platform'];
  key: string;
  version: number;
  status: OpenChannel['status'];
  statusReason: string | null;
  settings: Record<string, unknown>;
  sealed: Record<string, string>;
  tenantStatus: OpenChannel['tenantStatus'];
  tenantSettings: Record<string, unknown>;
  organizationSettings: Record<string, unknown>;
  agent: OpenChannel['agent'] | null;
};

type Place = { tenantId: Uuid; channelId: Uuid };

function keyOf(tenantId: Uuid, channelId: Uuid): string {
  return `${tenantId}/${channelId}`;
}

/** Failures are not remembered, and this is to be none that is. */
class Unclaimed extends Error {}

/** Finds channels by the keys that they claim, with their secrets opened. */
export function createChannelDirectory({
  scopes,
  keyRing,
}: {
  scopes: Scopes;
  keyRing: KeyRing;
}): ChannelDirectory {
  const places = createExpiringCache<Place>(ttlMs, cachedChannelsMax);
  const channels = createExpiringCache<OpenChannel | undefined>(ttlMs, cachedChannelsMax);

  const find = (tenantId: Uuid, channelId: Uuid) =>
    channels(keyOf(tenantId, channelId), async () => {
      const [row] = await scopes.call<{ describe_channel_v2: StoredChannel | null }>(
        'swarmgate.describe_channel_v2',
        [tenantId, channelId],
      );
      return row?.describe_channel_v2 ? open(row.describe_channel_v2, keyRing) : undefined;
    });

  // That nobody claims an account is not remembered: somebody may do so the next moment, and what comes then is theirs.
  const locate = async (platform: Platform, { kind, app, key }: AccountKey) => {
    const name = JSON.stringify([platform, kind, app, key]);
    const place = await places(name, async () => {
      const [row] = await scopes.call<{ locate_v1: Place | null }>('directory.locate_v1', [
        platform,
        kind,
        app,
        key,
      ]);
      if (!row?.locate_v1) throw new Unclaimed();
      return row.locate_v1;
    }).catch((error: unknown) => {
      if (error instanceof Unclaimed) return undefined;
      throw error;
    });
    return place && find(place.tenantId, place.channelId);
  };

  return {
    find,
    forget: (tenantId, channelId) => channels.forget(keyOf(tenantId, channelId)),
    findByKey: (platform, key) => locate(platform, { kind: 'channel_key', app: '', key }),
    findByAccount: locate,
    async listClaims(platform, kind) {
      const rows = await scopes.call<{ tenant_id: Uuid; channel_id: Uuid; app: string; key: string }>(
        'directory.list_claims_v1',
        [platform, kind],
      );
      return rows.map(({ tenant_id: tenantId, channel_id: channelId, app, key }) => ({
        tenantId,
        channelId,
        app,
        key,
      }));
    },
  };
}

function open(stored: StoredChannel, keyRing: KeyRing): OpenChannel {
  const { sealed, statusReason, agent, ...rest } = stored;
  const secrets = Object.entries(sealed).map(([name, secret]) => [
    name,
    keyRing.open(secret, channelSecretPlace(rest.tenantId, rest.id, name)),
  ]);
  return {
    ...rest,
    statusReason: statusReason ?? undefined,
    agent: agent ?? undefined,
    secrets: Object.fromEntries(secrets),
  };
}
