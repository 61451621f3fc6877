import { type DiscordApp, forGuild } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { isThreadType } from './interaction-place.ts';
import { type Fields, fieldsOf, idOf, rowsOf } from './payload.ts';

/**
 * What messages do not say: whether a channel is a thread, and which roles are the bot's own. The socket tells of both when
 * it begins; who goes on with the session of another process asks.
 */
export interface ChannelFacts {
  /** Takes what `GUILD_CREATE`, `THREAD_CREATE`, `THREAD_LIST_SYNC` and `CHANNEL_CREATE` tell. */
  note(app: DiscordApp, name: string, data: Fields): void;
  isThread(app: DiscordApp, guild: string, channel: string, signal: AbortSignal): Promise<boolean>;
  rolesOf(app: DiscordApp, guild: string, signal: AbortSignal): Promise<readonly string[]>;
}

const keptMax = 100_000;

export function createChannelFacts(api: DiscordApi): ChannelFacts {
  const threads = new Map<string, boolean>();
  const roles = new Map<string, readonly string[]>();

  function keep<Value>(map: Map<string, Value>, key: string, value: Value): Value {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > keptMax && oldest !== undefined) map.delete(oldest);
    return value;
  }

  const noteChannels = (app: DiscordApp, channels: unknown) => {
    const rows = rowsOf(channels);
    const credential = rows.length > 0 ? credentialKey(app) : '';
    for (const { id, type } of rows) {
      const channel = idOf(id);
      if (channel !== undefined) keep(threads, `${credential}/${channel}`, isThreadType(type));
    }
  };
  const noteRoles = (app: DiscordApp, guild: unknown, given: unknown): readonly string[] | undefined => {
    const id = idOf(guild);
    if (id === undefined || !Array.isArray(given)) return undefined;
    const own = rowsOf(given).filter(({ tags }) => fieldsOf(tags)['bot_id'] === app.applicationId);
    return keep(
      roles,
      `${credentialKey(app)}/${id}`,
      own.map((role) => idOf(role['id'])).filter((role) => role !== undefined),
    );
  };

  return {
    note(app, name, data) {
      if (name === 'GUILD_CREATE') noteRoles(app, data['id'], data['roles']);
      noteChannels(app, data['channels']);
      noteChannels(app, data['threads']);
      if (name === 'THREAD_CREATE' || name === 'CHANNEL_CREATE') noteChannels(app, [data]);
    },
    async isThread(app, guild, channel, signal) {
      const key = `${credentialKey(app)}/${channel}`;
      const known = threads.get(key);
      if (known !== undefined) return known;
      const { type } = await api.call<{ type?: number }>(
        forGuild(app, guild),
        { method: 'GET', route: `/channels/${channel}` },
        signal,
      );
      return keep(threads, key, isThreadType(type));
    },
    async rolesOf(app, guild, signal) {
      const known = roles.get(`${credentialKey(app)}/${guild}`);
      if (known) return known;
      const call = { method: 'GET', route: `/guilds/${guild}` } as const;
      const found = await api.call<Fields>(forGuild(app, guild), call, signal);
      return noteRoles(app, guild, found['roles'] ?? []) ?? [];
    },
  };
}
