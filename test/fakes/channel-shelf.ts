import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import { AppError } from '#domain/errors.ts';
import type { Uuid } from '#domain/ids.ts';
import type { OpenChannel } from '#gateways/gateway.ts';
import type { ChannelDirectory, ChannelInstallation, ChannelKeeper } from '#gateways/journey.ts';

/** Channels in memory: found like those of the database, each account claimed by one of them. */
export function createChannelShelf() {
  const channels = new Map<Uuid, OpenChannel>();
  const claims = new Map<string, Uuid>();
  const installations: (ChannelInstallation & { channelId: Uuid })[] = [];
  const nameOf = (platform: string, { kind, app, key }: AccountKey) =>
    JSON.stringify([platform, kind, app, key]);

  const directory: Pick<ChannelDirectory, 'find' | 'findByAccount'> = {
    async find(tenantId, channelId) {
      const found = channels.get(channelId);
      return found?.tenantId === tenantId ? found : undefined;
    },
    async findByAccount(platform, account) {
      return channels.get(claims.get(nameOf(platform, account)) ?? ('' as Uuid));
    },
  };

  const keeper: Pick<ChannelKeeper, 'install'> = {
    async install({ channelId, platform }, installation) {
      const channel = channels.get(channelId);
      if (!channel) throw new RangeError('There is no such channel.');
      for (const account of installation.claims) {
        const holder = claims.get(nameOf(platform, account)) ?? channelId;
        if (holder !== channelId) throw new AppError('channel_claimed', 'This account is connected already.');
      }
      for (const account of installation.claims) claims.set(nameOf(platform, account), channelId);
      installations.push({ ...installation, channelId });
      const fromFile = Object.entries(channel.secrets).filter(([name]) => !name.startsWith('installed'));
      channels.set(channelId, {
        ...channel,
        status: 'active',
        statusReason: undefined,
        settings: { ...channel.settings, installation: installation.facts },
        secrets: { ...Object.fromEntries(fromFile), ...installation.secrets },
      });
    },
  };

  return {
    directory,
    keeper,
    /** What was installed, in order. */
    installations,
    put(channel: OpenChannel): OpenChannel {
      channels.set(channel.id, channel);
      return channel;
    },
    claim(channel: OpenChannel, account: AccountKey): void {
      claims.set(nameOf(channel.platform, account), channel.id);
    },
    get(channelId: Uuid): OpenChannel {
      const found = channels.get(channelId);
      if (!found) throw new RangeError('There is no such channel.');
      return found;
    },
  };
}
