import { z } from 'zod';
import type { DescribedChannel } from './described-channel.ts';

/**
 * Where an answer in a server stands, and what is answered there. Direct messages and commands are always answered.
 *
 * - `thread`: a message that mentions the bot, or replies to it, is answered in a thread of its own; in a thread that the
 *   bot takes part in, every message is answered.
 * - `in_channel`: as `thread`, but what was asked outside a thread is answered outside a thread, as a reply.
 * - `mentions`: answers stand in threads, and only what mentions the bot is answered, in threads too. The rest of such a
 *   thread is kept for the agent to know.
 */
export const discordReplyPolicies = ['thread', 'in_channel', 'mentions'] as const;
export type DiscordReplyPolicy = (typeof discordReplyPolicies)[number];

const snowflake = (what: string) =>
  z
    .string({ error: 'a text: put the id in quotes, because YAML rounds such long numbers' })
    .regex(/^\d{1,20}$/, `${what}: up to 20 digits`);

/** A Discord channel as the apply file gives it: a server (guild), reached by the shared app or by one of the tenant's own. */
export const discordChannel = z
  .strictObject({
    slug: z.string().max(63),
    platform: z.literal('discord'),
    key: z
      .string()
      .regex(/^ck_[A-Za-z0-9_-]{3,80}$/, 'ck_ and 3 to 80 letters, digits, - or _')
      .optional(),
    agent: z.string().max(63).optional(),
    /** Absent: whichever server is connected by this channel's link; for an own app, all servers that it is in. */
    guild: snowflake('the id of a server').optional(),
    /** An app of the tenant's own. Absent: the shared app. */
    applicationId: snowflake('the id of an application').optional(),
    /** Checks what Discord sends to our address. */
    publicKey: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, 'the public key of the application: 64 hexadecimal digits')
      .optional(),
    botToken: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^\s]+$/, 'a bot token, without "Bot" before it')
      .optional(),
    /** For installing an own app by a link. */
    clientSecret: z.string().min(1).max(200).optional(),
    /** False: an own bot hears only commands, buttons and forms, which come to its interactions address. */
    socket: z.boolean().default(true),
    /** False: without the privileged intent, a bot reads only what mentions it, and direct messages. */
    messageContent: z.boolean().default(true),
    replies: z.enum(discordReplyPolicies).default('thread'),
    /** Which posts of forums are answered: those that mention the bot, or all. */
    forumPosts: z.enum(['mentions', 'all']).default('mentions'),
    /** Show an answer while it is being written. */
    streaming: z.boolean().default(true),
  })
  .superRefine((channel, context) => {
    const { applicationId, publicKey, botToken, clientSecret } = channel;
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (applicationId === undefined && (publicKey ?? botToken ?? clientSecret) !== undefined)
      fault('applicationId', 'an app of its own needs its id');
    if (applicationId !== undefined && publicKey === undefined && (botToken === undefined || !channel.socket))
      fault(
        'applicationId',
        'an app of its own needs publicKey (interactions by HTTP) or botToken (a socket)',
      );
  });
export type DiscordChannel = z.infer<typeof discordChannel>;

/** What of it is stored in the open. Secrets are sealed apart, under the names of {@link DiscordChannelSecrets}. */
export type DiscordChannelSettings = {
  applicationId?: string;
  guild?: string;
  socket: boolean;
  messageContent: boolean;
  replies: DiscordReplyPolicy;
  forumPosts: 'mentions' | 'all';
  streaming: boolean;
  /** What an installation by a link has brought; an apply leaves it as it is. */
  installation?: { guild?: string; name?: string; installedAt?: string };
  /** The base address of an API that stands in for Discord's; only `swarmgate simulate` sets it. */
  apiUrl?: string;
};

/** Names of a channel's sealed secrets. The public key is none, but what a request is checked with is kept together. */
export type DiscordChannelSecrets = Partial<Record<'publicKey' | 'botToken' | 'clientSecret', string>>;

export function describeDiscordChannel(channel: DiscordChannel): DescribedChannel {
  const { applicationId, guild, socket, messageContent, replies, forumPosts, streaming } = channel;
  const { publicKey, botToken, clientSecret } = channel;
  const app = applicationId ?? '';
  const settings: DiscordChannelSettings = {
    ...(applicationId && { applicationId }),
    ...(guild && { guild }),
    ...{ socket, messageContent, replies, forumPosts, streaming },
  };
  return {
    settings,
    secrets: { publicKey: publicKey?.toLowerCase(), botToken, clientSecret },
    claims: [
      ...(guild ? [{ kind: 'guild', app, key: guild }] : []),
      // An own app without a server of its own is for all servers that it is in.
      ...(applicationId && !guild ? [{ kind: 'application', app, key: applicationId }] : []),
      // One socket and one set of commands a bot: who looks after them is found by this.
      ...(applicationId && botToken && socket ? [{ kind: 'socket', app: '', key: applicationId }] : []),
    ],
  };
}
