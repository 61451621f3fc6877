import { z } from 'zod';
import type { DescribedChannel } from './described-channel.ts';

/**
 * What is answered in team channels and group chats. Personal chats are always answered.
 *
 * - `thread`: a message that mentions the bot is answered where it stands; in a channel's thread that the bot takes part
 *   in, every message is answered that Teams tells of.
 * - `mentions`: only what mentions the bot is answered. The rest of such a thread is kept for the agent to know.
 */
export const teamsReplyPolicies = ['thread', 'mentions'] as const;
export type TeamsReplyPolicy = (typeof teamsReplyPolicies)[number];

const guid = (expected = 'a GUID such as 11111111-2222-3333-4444-555555555555') =>
  z
    .string()
    .max(36)
    .transform((text) => text.toLowerCase())
    .pipe(z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/, expected));

/** A Teams channel as the apply file gives it: an Entra tenant, reached by the shared bot or by one of the tenant's own. */
export const teamsChannel = z
  .strictObject({
    slug: z.string().max(63),
    platform: z.literal('teams'),
    key: z
      .string()
      .regex(/^ck_[A-Za-z0-9_-]{3,80}$/, 'ck_ and 3 to 80 letters, digits, - or _')
      .optional(),
    agent: z.string().max(63).optional(),
    /** The Entra tenant whose people write; "common" names nobody. */
    aadTenant: guid(),
    /** A bot of the tenant's own. Absent: the shared bot. */
    appId: guid().optional(),
    appPassword: z.string().min(1).max(200).optional(),
    /**
     * Where that bot is registered: the Entra tenant of a single-tenant bot (`aadTenant` when absent), or `multi-tenant`,
     * which Microsoft has not let anybody make since July 2025.
     */
    appTenant: z
      .union([
        z.literal('multi-tenant'),
        guid('the GUID of the Entra tenant in which the bot is registered, or multi-tenant'),
      ])
      .optional(),
    replies: z.enum(teamsReplyPolicies).default('thread'),
    /** Show an answer while it is being written; Teams does so in personal chats. */
    streaming: z.boolean().default(true),
    /** What Teams takes of one app in one Entra tenant. Its pages have said 30, its people 50. */
    requestsPerSecond: z.int().min(1).max(100).default(30),
  })
  .superRefine((channel, context) => {
    const { appId, appPassword, appTenant } = channel;
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ((appId === undefined) !== (appPassword === undefined))
      fault('appId', 'appId and appPassword go together');
    if (appId === undefined && appTenant !== undefined)
      fault('appTenant', 'a bot of its own needs appId; the shared one is described by the environment');
  });
export type TeamsChannel = z.infer<typeof teamsChannel>;

/** What of it is stored in the open. The password is sealed apart, as `appPassword`. */
export type TeamsChannelSettings = {
  aadTenant: string;
  appId?: string;
  /** Absent: the bot is multi-tenant. */
  appTenant?: string;
  replies: TeamsReplyPolicy;
  streaming: boolean;
  requestsPerSecond: number;
  /** The base address of a stand-in for Microsoft's; only `swarmgate simulate` sets it. */
  apiUrl?: string;
};

export function describeTeamsChannel(channel: TeamsChannel): DescribedChannel {
  const { aadTenant, appId, appPassword, appTenant = aadTenant, replies, streaming } = channel;
  const settings: TeamsChannelSettings = {
    aadTenant,
    ...(appId && { appId }),
    ...(appId && appTenant !== 'multi-tenant' && { appTenant }),
    ...{ replies, streaming, requestsPerSecond: channel.requestsPerSecond },
  };
  return {
    settings,
    secrets: { appPassword },
    claims: [{ kind: 'aad_tenant', app: appId ?? '', key: aadTenant }],
  };
}

/** What was given for it, as far as it is kept; `describeTeamsChannel` the other way round. */
export function restoreTeamsChannel(
  settings: TeamsChannelSettings,
  secrets: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const { appId, appTenant } = settings;
  return { ...settings, ...secrets, ...(appId && { appTenant: appTenant ?? 'multi-tenant' }) };
}
