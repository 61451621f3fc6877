import { z } from 'zod';
import type { DescribedChannel } from './described-channel.ts';

/**
 * Where an answer in a channel of many people stands, and what is answered there. Direct messages are always answered.
 *
 * - `thread`: a message that mentions the bot is answered in its thread; in a thread that the bot takes part in, every
 *   message is answered.
 * - `in_thread`: as `thread`, but what was asked outside a thread is answered outside a thread.
 * - `mentions`: answers stand in threads, and only what mentions the bot is answered, in threads too. The rest of such a
 *   thread is kept for the agent to know.
 */
export const slackReplyPolicies = ['thread', 'in_thread', 'mentions'] as const;
export type SlackReplyPolicy = (typeof slackReplyPolicies)[number];

/** A Slack channel as the apply file gives it: a workspace, reached by the shared app or by an app of the tenant's own. */
export const slackChannel = z
  .strictObject({
    slug: z.string().max(63),
    platform: z.literal('slack'),
    key: z
      .string()
      .regex(/^ck_[A-Za-z0-9_-]{3,80}$/, 'ck_ and 3 to 80 letters, digits, - or _')
      .optional(),
    agent: z.string().max(63).optional(),
    /** Absent: whichever workspace installs the app with this channel's link. */
    workspace: z
      .string()
      .regex(/^T[A-Z0-9]{1,30}$/, 'a workspace id such as T0123456789')
      .optional(),
    /** An org-wide installation on Enterprise Grid: all workspaces that no other channel claims. */
    enterprise: z
      .string()
      .regex(/^E[A-Z0-9]{1,30}$/, 'an enterprise id such as E0123456789')
      .optional(),
    botToken: z
      .string()
      .regex(/^xox[be][.-]/, 'a bot token, which begins with xoxb-')
      .optional(),
    /** An app of the tenant's own. Absent: the shared app. */
    appId: z
      .string()
      .regex(/^A[A-Z0-9]{1,30}$/, 'an app id such as A0123456789')
      .optional(),
    signingSecret: z.string().min(1).max(200).optional(),
    clientId: z.string().min(1).max(100).optional(),
    clientSecret: z.string().min(1).max(200).optional(),
    /** Turns Socket Mode on. */
    appToken: z
      .string()
      .regex(/^xapp-/, 'an app-level token, which begins with xapp-')
      .optional(),
    replies: z.enum(slackReplyPolicies).default('thread'),
    /** Show an answer while it is being written. */
    streaming: z.boolean().default(true),
  })
  .superRefine((channel, context) => {
    const { appId, signingSecret, clientId, clientSecret, appToken } = channel;
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const own = signingSecret ?? clientId ?? clientSecret ?? appToken;
    if (appId === undefined && own !== undefined) fault('appId', 'an app of its own needs its id');
    if (appId !== undefined && signingSecret === undefined && appToken === undefined)
      fault('appId', 'an app of its own needs signingSecret (events by HTTP) or appToken (Socket Mode)');
    if ((clientId === undefined) !== (clientSecret === undefined))
      fault('clientId', 'clientId and clientSecret go together');
    if (channel.botToken !== undefined && (channel.workspace ?? channel.enterprise) === undefined)
      fault(
        'workspace',
        'a bot token is for a workspace: name it, or leave the token out and install by the link',
      );
    if (channel.workspace !== undefined && channel.enterprise !== undefined)
      fault('enterprise', 'either workspace or enterprise');
  });
export type SlackChannel = z.infer<typeof slackChannel>;

/** What of it is stored in the open. Secrets are sealed apart, under the names of {@link SlackChannelSecrets}. */
export type SlackChannelSettings = {
  appId?: string;
  clientId?: string;
  workspace?: string;
  enterprise?: string;
  replies: SlackReplyPolicy;
  streaming: boolean;
  /** What an installation by OAuth has brought; an apply leaves it as it is. */
  installation?: SlackInstallation;
  /** The base address of a Web API that stands in for Slack's; only `swarmgate simulate` sets it. */
  apiUrl?: string;
};

export type SlackInstallation = {
  workspace?: string;
  enterprise?: string;
  name?: string;
  botUserId?: string;
  scopes?: string[];
  /** In ISO 8601. What Slack tells of an earlier time is about an earlier installation. */
  installedAt?: string;
  /** When the bot token runs out (token rotation), in ISO 8601. */
  tokenExpiresAt?: string;
};

/** Names of a channel's sealed secrets. `installed…` come from OAuth, the others from the apply file. */
export type SlackChannelSecrets = Partial<
  Record<
    | 'botToken'
    | 'signingSecret'
    | 'clientSecret'
    | 'appToken'
    | 'installedBotToken'
    | 'installedRefreshToken',
    string
  >
>;

export function describeSlackChannel(channel: SlackChannel): DescribedChannel {
  const { appId, clientId, workspace, enterprise, replies, streaming } = channel;
  const { botToken, signingSecret, clientSecret, appToken } = channel;
  const app = appId ?? '';
  const settings: SlackChannelSettings = {
    ...(appId && { appId }),
    ...(clientId && { clientId }),
    ...(workspace && { workspace }),
    ...(enterprise && { enterprise }),
    replies,
    streaming,
  };
  return {
    settings,
    secrets: { botToken, signingSecret, clientSecret, appToken },
    claims: [
      ...(workspace ? [{ kind: 'workspace', app, key: workspace }] : []),
      ...(enterprise ? [{ kind: 'enterprise', app, key: enterprise }] : []),
      // One socket an app: who opens it is found by this.
      ...(appId && appToken ? [{ kind: 'socket', app: '', key: appId }] : []),
    ],
  };
}
