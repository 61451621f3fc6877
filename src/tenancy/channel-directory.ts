import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { Uuid } from '#domain/ids.ts';
import type { Channel, Platform } from '#gateways/gateway.ts';
import type { ChannelDirectory, OpenChannel } from '#gateways/journey.ts';
import { createBatcher } from '#kernel/batcher.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { createRecentKeys } from '#kernel/recent-keys.ts';
import { createWatchedCache } from '#kernel/watched-cache.ts';
import type { Scopes } from './scopes.ts';
import { channelSecretPlace } from './seal-places.ts';

/** What was changed elsewhere is seen by every process within this time. */
const validMs = 1_000;
/** Or within this time, where somebody asks for what is so now. */
const latestMs = 50;
const cachedChannelsMax = 10_000;
/** Channels that are looked at in one round trip. */
const batchSizeMax = 200;
const checkSizeMax = 2_000;

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
/** `stamp` names the state of everything that a channel is described by. */
type Described = Place & { stamp: string | null; channel: OpenChannel | undefined };
type Claimed = { platform: Platform; account: AccountKey };

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
  const places = createWatchedCache<Claimed & Place>({
    ...{ validMs, sizeMax: cachedChannelsMax },
    check: inParts(checkSizeMax, async (entries) => {
      const found = await locateAccounts(entries.map(([, claimed]) => claimed));
      return entries.flatMap(([key, { tenantId, channelId }], index) => {
        const place = found[index];
        return place?.tenantId === tenantId && place.channelId === channelId ? [key] : [];
      });
    }),
  });
  const channels = createWatchedCache<Described>({
    ...{ validMs, sizeMax: cachedChannelsMax },
    check: inParts(checkSizeMax, async (entries) => {
      const rows = await scopes.call<{ ordinal: number }>('swarmgate.unchanged_channels_v1', [
        entries.map(([, { tenantId }]) => tenantId),
        entries.map(([, { channelId }]) => channelId),
        entries.map(([, { stamp }]) => stamp),
      ]);
      return rows.flatMap(({ ordinal }) => entries[ordinal - 1]?.[0] ?? []);
    }),
  });

  const describe = createBatcher<Place, Described>(async (items) => {
    const rows = await scopes.call<{ ordinal: number; stamp: string | null; channel: StoredChannel | null }>(
      'swarmgate.describe_channels_v3',
      [items.map(({ tenantId }) => tenantId), items.map(({ channelId }) => channelId)],
    );
    const found = new Map(rows.map((row) => [row.ordinal, row]));
    return items.map((place, index) => {
      const { stamp = null, channel = null } = found.get(index + 1) ?? {};
      try {
        return { ...place, stamp, channel: channel ? open(channel, keyRing) : undefined };
      } catch (error) {
        // A secret that does not open is this channel's fault and nobody else's.
        return error as Error;
      }
    });
  }, batchSizeMax);

  const reread = createRecentKeys(latestMs, cachedChannelsMax);

  const find = async (tenantId: Uuid, channelId: Uuid) =>
    (await channels(keyOf(tenantId, channelId), () => describe({ tenantId, channelId }))).channel;

  async function locateAccounts(items: readonly Claimed[]): Promise<(Place | undefined)[]> {
    const rows = await scopes.call<{ ordinal: number; tenant_id: Uuid; channel_id: Uuid }>(
      'directory.locate_v2',
      [
        items.map(({ platform }) => platform),
        items.map(({ account }) => account.kind),
        items.map(({ account }) => account.app),
        items.map(({ account }) => account.key),
      ],
    );
    const places: (Place | undefined)[] = items.map(() => undefined);
    for (const { ordinal, tenant_id: tenantId, channel_id: channelId } of rows)
      places[ordinal - 1] = { tenantId, channelId };
    return places;
  }

  // That nobody claims an account is not remembered: somebody may do so the next moment, and what comes then is theirs.
  const locateOne = createBatcher<Claimed, Claimed & Place>(async (items) => {
    const found = await locateAccounts(items);
    return items.map((item, index) => {
      const place = found[index];
      return place ? { ...item, ...place } : new Unclaimed();
    });
  }, batchSizeMax);

  const locate = async (platform: Platform, account: AccountKey) => {
    const name = JSON.stringify([platform, account.kind, account.app, account.key]);
    const place = await places(name, () => locateOne({ platform, account })).catch((error: unknown) => {
      if (error instanceof Unclaimed) return undefined;
      throw error;
    });
    return place && find(place.tenantId, place.channelId);
  };

  return {
    find,
    forget: (tenantId, channelId) => channels.forget(keyOf(tenantId, channelId)),
    async findLatest(tenantId, channelId) {
      const key = keyOf(tenantId, channelId);
      if (!reread.has(key)) {
        reread.note(key);
        channels.forget(key);
      }
      return find(tenantId, channelId);
    },
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

/** Has a check look at so many entries at a time. */
function inParts<Entry>(
  sizeMax: number,
  check: (entries: readonly Entry[]) => Promise<string[]>,
): (entries: readonly Entry[]) => Promise<string[]> {
  return async (entries) => {
    const held: string[] = [];
    for (let from = 0; from < entries.length; from += sizeMax)
      held.push(...(await check(entries.slice(from, from + sizeMax))));
    return held;
  };
}
