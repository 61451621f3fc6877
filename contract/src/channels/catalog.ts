import { type DescribedChannel, installedSecretPrefix } from './described-channel.ts';
import { type DiscordChannel, describeDiscordChannel, discordChannel } from './discord.ts';
import { describeSlackChannel, type SlackChannel, slackChannel } from './slack.ts';
import {
  describeTeamsChannel,
  restoreTeamsChannel,
  type TeamsChannel,
  type TeamsChannelSettings,
  teamsChannel,
} from './teams.ts';
import { describeTwilioChannel, type TwilioChannel, twilioChannel } from './twilio.ts';
import {
  describeWebChatChannel,
  restoreWebChatChannel,
  type WebChatChannel,
  type WebChatChannelSettings,
  webChatChannel,
} from './webchat.ts';

/** A platform that an apply file may name: one line here, one file beside this one. */
export const channelSchemas = [
  webChatChannel,
  slackChannel,
  twilioChannel,
  discordChannel,
  teamsChannel,
] as const;

export type AnyChannel = WebChatChannel | SlackChannel | TwilioChannel | DiscordChannel | TeamsChannel;
export type ChannelPlatform = AnyChannel['platform'];

export const channelPlatforms = [
  'webchat',
  'slack',
  'twilio',
  'discord',
  'teams',
] as const satisfies readonly ChannelPlatform[];

/** What the key of a channel begins with when one is made. */
export const channelKeyPrefix: Readonly<Record<ChannelPlatform, string>> = {
  webchat: 'wk_',
  slack: 'ck_',
  twilio: 'ck_',
  discord: 'ck_',
  teams: 'ck_',
};

export function describeChannel(channel: AnyChannel): DescribedChannel {
  switch (channel.platform) {
    case 'webchat':
      return describeWebChatChannel(channel);
    case 'slack':
      return describeSlackChannel(channel);
    case 'twilio':
      return describeTwilioChannel(channel);
    case 'discord':
      return describeDiscordChannel(channel);
    case 'teams':
      return describeTeamsChannel(channel);
  }
}

/**
 * What was given for a channel, as far as it is kept: {@link describeChannel} the other way round. What an installation has
 * brought, and what a simulation has set, was not given.
 */
export function restoreChannel(
  platform: ChannelPlatform,
  settings: Readonly<Record<string, unknown>>,
  sealed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const { installation, apiUrl, ...open } = settings;
  const secrets = Object.fromEntries(
    Object.entries(sealed).filter(([name]) => !name.startsWith(installedSecretPrefix)),
  );
  switch (platform) {
    case 'webchat':
      return restoreWebChatChannel(open as WebChatChannelSettings, secrets);
    case 'teams':
      return restoreTeamsChannel(open as TeamsChannelSettings, secrets);
    case 'slack':
    case 'discord':
    case 'twilio':
      return { ...open, ...secrets };
  }
}

/** Whether a channel is reached by the app, bot or account of the installation, which all tenants share. */
export function usesSharedApp(channel: AnyChannel): boolean {
  switch (channel.platform) {
    case 'webchat':
      return false;
    case 'slack':
    case 'teams':
      return channel.appId === undefined;
    case 'discord':
      return channel.applicationId === undefined;
    case 'twilio':
      return channel.accountSid === undefined;
  }
}
