import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Env } from '#config/env.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from '../../src/simulators/discord/simulator.ts';
import { aService, type Service, type ServiceOptions } from './a-service.ts';
import { eventually } from './eventually.ts';
import { discordChannelOf, planPlatformTenant } from './platform-tenants.ts';

/** The shared app, and the server and channel that it is in where nothing else was planned. */
export const sharedAppId = '900';
export const guildId = '1001';
const people = ['7', '8', '9'];

export function discordEnv(discord: DiscordSimulator): Env {
  const { id, publicKey, botToken, clientSecret } = discord.app(sharedAppId);
  return {
    DISCORD_APPLICATION_ID: id,
    DISCORD_PUBLIC_KEY: publicKey,
    DISCORD_BOT_TOKEN: botToken,
    DISCORD_CLIENT_SECRET: clientSecret,
    DISCORD_API_URL: discord.apiUrl,
  };
}

export type DiscordServiceOptions = Omit<ServiceOptions, 'plans' | 'tenants'> & {
  discord?: DiscordSimulatorOptions;
  /** What is made once the shared app is there; one tenant with the server when absent. */
  plans?: (discord: DiscordSimulator) => readonly ApplyPlan[];
  /** Whether the shared app has an address for interactions; else they come by the socket. */
  hasAddress?: boolean;
};

export type DiscordService = Service & { discord: DiscordSimulator; channel: string };
type AtEnd = (end: () => Promise<void>) => void;

const roomyLimits = { postsPerWindow: 1_000, globalPerSecond: 1_000 };

/** A service that is connected to a simulated Discord, with the shared app in one server whose tenant is `shop`. */
export async function aDiscordService(
  { discord: simulatorOptions, plans, hasAddress = true, ...options }: DiscordServiceOptions = {},
  atEnd: AtEnd = onTestFinished,
): Promise<DiscordService> {
  const discord = await startDiscordSimulator({ limits: roomyLimits, heartbeatMs: 500, ...simulatorOptions });
  atEnd(() => discord.close());
  const app = discord.addApp({ id: sharedAppId });
  discord.addGuild({ id: guildId, name: 'The shop', members: people });
  const channel = discord.addChannel(guildId);
  discord.invite(sharedAppId, guildId);
  const service = await aService(
    {
      ...options,
      env: { ...discordEnv(discord), ...options.env },
      plans: plans?.(discord) ?? [planPlatformTenant({ channels: [discordChannelOf({ guild: guildId })] })],
    },
    atEnd,
  );
  if (hasAddress) app.interactionsUrl = interactionsUrlOf(service);
  return { ...service, discord, channel };
}

export function interactionsUrlOf({ url }: { url: string }, channelKey?: string): string {
  return `${url}/webhooks/discord${channelKey === undefined ? '' : `/${channelKey}`}/interactions`;
}

/** Waits until the app's socket is open. */
export const isConnected = (discord: DiscordSimulator, appId = sharedAppId, count = 1): Promise<void> =>
  eventually(() => {
    const open = discord.sockets.open(appId);
    if (open !== count) throw new Error(`${open} sockets of ${appId} are open.`);
  });

/** One for all tests of a file whose promises do not disturb each other. */
export function sharedDiscordService(options: DiscordServiceOptions = {}): () => DiscordService {
  const ends: (() => Promise<void>)[] = [];
  let service: DiscordService | undefined;
  beforeAll(async () => {
    service = await aDiscordService(options, (end) => ends.unshift(end));
    await isConnected(service.discord);
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => {
    if (!service) throw new Error('The service has not been started yet.');
    return service;
  };
}

/** Waits until bots show so many messages in a channel, none still thought about or written; answers their texts. */
export function postsIn(discord: DiscordSimulator, channel: string, count = 1): Promise<string[]> {
  return eventually(() => {
    const posts = discord.channelExists(channel) ? discord.posts(channel) : [];
    const written = posts.filter(({ loading, content }) => !loading && !content.endsWith(' …'));
    if (written.length !== count)
      throw new Error(
        `There are ${written.length} posts: ${posts.map(({ content }) => content).join(' | ')}`,
      );
    return written.map(({ content }) => content);
  });
}

/** A person writes to the bot and chooses a server, the only thing that they can do at first. Answers their channel. */
export async function chooseServer(
  discord: DiscordSimulator,
  { user = '7', guild = guildId, appId = sharedAppId } = {},
): Promise<string> {
  const { channelId } = discord.tellBot(appId, { user, text: 'is anybody there?' });
  await postsIn(discord, channelId);
  const [menu] = discord.posts(channelId);
  await discord.press(appId, { id: menu?.id ?? '', channelId }, user, 'swarmgate:server:0', [guild]);
  return channelId;
}
