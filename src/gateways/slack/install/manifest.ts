import type { AppsManifestCreateArguments } from '@slack/web-api';

type SdkManifest = AppsManifestCreateArguments['manifest'];
type SdkScope = NonNullable<NonNullable<NonNullable<SdkManifest['oauth_config']>['scopes']>['bot']>[number];
type SdkSettings = NonNullable<SdkManifest['settings']>;
type SlackEvent = NonNullable<NonNullable<SdkSettings['event_subscriptions']>['bot_events']>[number];

/** https://docs.slack.dev/reference/scopes; the SDK's list has no `assistant:write`. */
export type SlackScope = SdkScope | 'assistant:write';

/** What the app is allowed to do in a workspace: what the gateway uses, and no more. */
export const slackScopes = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'groups:history',
  'im:history',
  'im:write',
  'mpim:history',
  'reactions:read',
] as const satisfies readonly SlackScope[];

/** What Slack tells the app: https://docs.slack.dev/reference/events. */
const slackEvents = [
  'app_home_opened',
  'app_mention',
  'app_uninstalled',
  'assistant_thread_context_changed',
  'assistant_thread_started',
  'message.channels',
  'message.groups',
  'message.im',
  'message.mpim',
  'reaction_added',
  'reaction_removed',
  'tokens_revoked',
] as const satisfies readonly SlackEvent[];

const slackCommand = '/ask';
/** The `callback_id`s of the app's shortcuts: one from anywhere, one on a message. */
const slackShortcuts = { global: 'ask', message: 'ask_about_message' } as const;

export type SlackManifest = {
  display_information: SdkManifest['display_information'];
  features: NonNullable<SdkManifest['features']>;
  oauth_config: { redirect_urls?: string[]; scopes: { bot: SlackScope[] } };
  settings: SdkSettings;
};

export type SlackManifestOptions = {
  /** What people see, at most {@link slackAppNameLengthMax} characters. */
  name: string;
  /** Where Slack reaches this service, `https://…` without a slash at its end. Socket Mode can do without. */
  publicUrl?: string | undefined;
  socketMode: boolean;
  /** The key of the channel that the app belongs to; absent for the shared app. */
  channelKey?: string | undefined;
};

export const slackAppNameLengthMax = 35;

/** What makes a Slack app of this service when it is pasted at api.slack.com/apps, "From a manifest" (docs.slack.dev/app-manifests). */
export function slackManifest({
  name,
  publicUrl,
  socketMode,
  channelKey,
}: SlackManifestOptions): SlackManifest {
  const below = (endpoint: string) =>
    [publicUrl, 'webhooks/slack', channelKey, endpoint].filter((part) => part !== undefined).join('/');
  // With Socket Mode everything comes by the socket, and Slack calls no address of ours.
  const calls = !socketMode && publicUrl !== undefined;
  return {
    display_information: {
      name,
      description: `${name} answers questions in channels, threads and messages.`,
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      assistant_view: { assistant_description: `Ask ${name} anything.` },
      bot_user: { display_name: botNameOf(name), always_online: true },
      shortcuts: [
        {
          type: 'global',
          name: 'Ask',
          callback_id: slackShortcuts.global,
          description: `Ask ${name} a question`,
        },
        {
          type: 'message',
          name: 'Ask about this',
          callback_id: slackShortcuts.message,
          description: `Ask ${name} about a message`,
        },
      ],
      slash_commands: [
        {
          command: slackCommand,
          description: `Ask ${name} a question`,
          usage_hint: 'your question',
          should_escape: false,
          ...(calls && { url: below('commands') }),
        },
      ],
    },
    oauth_config: {
      ...(publicUrl !== undefined && { redirect_urls: [below('oauth')] }),
      scopes: { bot: [...slackScopes] },
    },
    settings: {
      event_subscriptions: {
        ...(calls && { request_url: below('events') }),
        bot_events: [...slackEvents],
      },
      interactivity: { is_enabled: true, ...(calls && { request_url: below('interactions') }) },
      org_deploy_enabled: true,
      socket_mode_enabled: socketMode,
      token_rotation_enabled: false,
    },
  };
}

/** A bot's name has only these characters, and at most 80 of them. */
function botNameOf(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9._-]+/g, '-');
  return plain.replace(/^-+|-+$/g, '').slice(0, 80) || 'bot';
}
