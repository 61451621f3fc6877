import type { SlackChannelSecrets, SlackChannelSettings } from '@swarmgate/contract/channels/slack.ts';
import type { Channel } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';

export function settingsOf(channel: Channel): SlackChannelSettings {
  return channel.settings as SlackChannelSettings;
}

export function secretsOf(channel: Channel): SlackChannelSecrets {
  return channel.secrets;
}

/** The workspace that the channel stands for; `undefined` before an installation, or when it is a whole enterprise. */
export function workspaceOf(channel: Channel): string | undefined {
  const { workspace, installation } = settingsOf(channel);
  return workspace ?? installation?.workspace;
}

/** The token that everything about this channel is sent with. @throws {GatewayError} when there is none yet. */
export function botTokenOf(channel: Channel): string {
  const { botToken, installedBotToken } = secretsOf(channel);
  const token = botToken ?? installedBotToken;
  if (token !== undefined) return token;
  throw new GatewayError(
    'not_now',
    'The Slack channel has no bot token yet: install the app with its link, or give it a botToken.',
    { retryAfterMs: 5_000 },
  );
}
