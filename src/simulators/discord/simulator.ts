import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createFaults } from './faults.ts';
import { createInteractions } from './interactions.ts';
import { createJudge } from './judge.ts';
import { createLimits, type LimitOptions } from './limits.ts';
import { createPeople } from './people.ts';
import { createDiscordServer } from './server.ts';
import { createSockets, type SocketOptions } from './sockets.ts';
import type { Stage } from './stage.ts';
import { type ChannelType, createWorld, type SimulatedMessage } from './world.ts';

export type DiscordSimulatorOptions = SocketOptions & {
  /** Any free one when absent. */
  port?: number;
  limits?: LimitOptions;
  /** How many Discord recommends. */
  shards?: number;
  now?: () => number;
};

export type DiscordSimulator = Awaited<ReturnType<typeof startDiscordSimulator>>;

/**
 * A strict stand-in for Discord on loopback: the REST API, the gateway and OAuth that apps call, and the people whose
 * messages reach them by the socket and whose commands come signed. It checks tokens, limits and forms, keeps every call,
 * and fails as it is told to.
 */
export async function startDiscordSimulator(options: DiscordSimulatorOptions = {}) {
  const { port = 0, now = Date.now, shards = 1 } = options;
  let url = '';
  const world = createWorld(now);
  const judge = createJudge();
  const sockets = createSockets({ world, judge, url: () => url, now, options });
  const interactions = createInteractions({ world, judge, sockets: () => sockets, now });
  const stage: Stage = {
    ...{ world, judge, sockets, interactions, now, shards },
    limits: createLimits(options.limits ?? {}, now),
    faults: createFaults(),
    codes: new Map(),
    files: new Map(),
    url: () => url,
  };
  const server = createDiscordServer(stage);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const shown = (channelId: string): SimulatedMessage[] =>
    [...world.channel(channelId).messages.values()].filter(
      ({ appId, deleted }) => appId !== undefined && !deleted,
    );

  return {
    url,
    apiUrl: `${url}/api`,

    // the world
    addApp: world.addApp,
    app: world.app,
    guild: (id: string) => {
      const guild = world.guilds.get(id);
      if (!guild) throw new TypeError(`There is no server ${id}.`);
      return guild;
    },
    addGuild: world.addGuild,
    addChannel: (guildId: string, type: ChannelType = 0, name?: string) =>
      world.addChannel({ type, guildId, ...(name !== undefined && { name }) }).id,
    directChannel: (appId: string, user: string) => world.directChannel(appId, user).id,
    /** Somebody makes a thread of a message. */
    openThread(messageId: string): void {
      const parent = [...world.channels.values()].find(({ messages }) => messages.has(messageId));
      if (!parent || world.channels.has(messageId)) return;
      const thread = {
        id: messageId,
        type: 11 as const,
        name: 'A thread',
        guildId: parent.guildId,
        parentId: parent.id,
      };
      sockets.tellThread(world.addChannel(thread), '0');
    },
    channelExists: (id: string) => world.channels.has(id),
    /** The bot joins a server; its app is told. */
    invite(appId: string, guildId: string): { roleId: string } {
      const guild = world.guilds.get(guildId) ?? world.addGuild({ id: guildId });
      const bot = { roleId: world.snowflake(), joinedAt: new Date(now()).toISOString() };
      guild.bots.set(appId, bot);
      sockets.tellJoin(guild, appId);
      return bot;
    },
    removeBot(appId: string, guildId: string): void {
      sockets.tellLeave(guildId, appId, false);
      world.guilds.get(guildId)?.bots.delete(appId);
    },
    outage: (appId: string, guildId: string) => sockets.tellLeave(guildId, appId, true),
    join: (guildId: string, user: string) => void world.guilds.get(guildId)?.members.add(user),
    leave: (guildId: string, user: string) => void world.guilds.get(guildId)?.members.delete(user),
    /** The bot may read in a channel and not write. */
    silence: (appId: string, channelId: string, isSilent = true) =>
      void world.channel(channelId).silenced[isSilent ? 'add' : 'delete'](appId),
    /** The bot does not see a channel, or may not read what was said there before. */
    hide: (appId: string, channelId: string, what: 'hidden' | 'withoutHistory') =>
      void world.channel(channelId)[what].add(appId),
    setToken: (appId: string, botToken: string) => void Object.assign(world.app(appId), { botToken }),
    /** Somebody allows the app on Discord's page: the bot joins, and the browser is sent on with a code. */
    authorize(authorizeUrl: string, guildId: string): URL {
      const asked = new URL(authorizeUrl).searchParams;
      const app = world.app(asked.get('client_id') ?? '');
      const redirectUri = asked.get('redirect_uri') ?? '';
      if (!app.redirectUris.includes(redirectUri))
        throw new TypeError(`The redirect ${redirectUri} is not registered.`);
      const code = randomBytes(15).toString('hex');
      stage.codes.set(code, { appId: app.id, guildId, redirectUri });
      this.invite(app.id, guildId);
      const back = new URL(redirectUri);
      back.search = new URLSearchParams({
        code,
        state: asked.get('state') ?? '',
        guild_id: guildId,
      }).toString();
      return back;
    },

    // what people do
    ...createPeople(stage),
    lastInteraction: interactions.last,
    repeatInteraction: interactions.repeat,
    /** Anything signed by an app's key, to any address. */
    postSigned: interactions.post,

    /** From now on Discord recommends so many. */
    recommendShards(count: number): void {
      stage.shards = count;
    },

    // Discord on a bad day
    fail: stage.faults.fail,
    mend: stage.faults.clear,
    changeLimits: stage.limits.change,
    sockets,

    // the judge
    calls: judge.calls,
    callsOf: (method: string, path: RegExp) =>
      judge.calls.filter((call) => call.method === method && path.test(call.path)),
    violations: judge.violations,
    invalidCount: () => judge.invalid,
    rateLimited: () => judge.rateLimited,
    /** What bots show in a channel: not deleted, oldest first. */
    posts: shown,
    everything: (channelId: string) => [...world.channel(channelId).messages.values()],

    async close(): Promise<void> {
      sockets.end();
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
