import { isIP } from 'node:net';
import type { Uuid } from '#domain/ids.ts';
import type { ChannelDirectory, OpenChannel, TenantHosts } from '#gateways/journey.ts';
import { createBatcher } from '#kernel/batcher.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import { isWithin, readDomainName } from './domain-names.ts';
import type { Scopes } from './scopes.ts';

/** What was given or taken away elsewhere is seen by every process within this time. */
const validMs = 1_000;
/** Anybody may name any host: so many are remembered, and so many are looked for at once. */
const hostsMax = 10_000;
const batchSizeMax = 200;

export type TenantHostsParts = {
  scopes: Pick<Scopes, 'call'>;
  channels: Pick<ChannelDirectory, 'find'>;
  /** The address of the installation itself, which is no tenant's. */
  publicUrl: () => string;
  /** Below it every tenant has a host by its slug; absent: none has. */
  baseDomain: string | undefined;
};

/** Which tenant a host is for: one of its own that it has proved, or its slug below the installation's base domain. */
export function createTenantHosts({
  scopes,
  channels,
  publicUrl,
  baseDomain,
}: TenantHostsParts): TenantHosts {
  const located = createExpiringCache<Uuid | undefined>(validMs, hostsMax);
  const webChats = createExpiringCache<Uuid | undefined>(validMs, hostsMax);

  const locate = createBatcher<string, { tenantId: Uuid | undefined }>(async (hosts) => {
    const rows = await scopes.call<{ ordinal: number; tenant_id: Uuid }>('directory.locate_hosts_v1', [
      hosts,
      hosts.map((host) => slugOf(host, baseDomain) ?? null),
    ]);
    const found = new Map(rows.map((row) => [row.ordinal, row.tenant_id]));
    return hosts.map((_, index) => ({ tenantId: found.get(index + 1) }));
  }, batchSizeMax);

  // The installation's own hosts are the usual ones, and cost no look.
  const isOurs = (host: string) => host === new URL(publicUrl()).hostname || host === baseDomain;

  return {
    async tenantOf(host) {
      if (host === undefined || isIP(host) !== 0) return undefined;
      const name = readDomainName(host);
      if (name === undefined || isOurs(name)) return undefined;
      return located(name, async () => (await locate(name)).tenantId);
    },

    async webChatOf(tenantId): Promise<OpenChannel | undefined> {
      const channelId = await webChats(tenantId, async () => {
        const [row] = await scopes.call<{ host_web_chat_v1: Uuid | null }>('swarmgate.host_web_chat_v1', [
          tenantId,
        ]);
        return row?.host_web_chat_v1 ?? undefined;
      });
      return channelId && channels.find(tenantId, channelId);
    },

    isOwnPage(origin, host) {
      if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
      const { protocol, host: from } = new URL(origin);
      const isSafe = protocol === 'https:' || (protocol === 'http:' && publicUrl().startsWith('http:'));
      return isSafe && from === host.toLowerCase();
    },
  };
}

/** The one label before the base domain; a slug has no dots. */
function slugOf(host: string, baseDomain: string | undefined): string | undefined {
  if (baseDomain === undefined || !isWithin(host, baseDomain) || host === baseDomain) return undefined;
  const label = host.slice(0, -baseDomain.length - 1);
  return label.includes('.') ? undefined : label;
}
