import type { DescribedChannel } from './described-channel.ts';
import { type DiscordChannel, describeDiscordChannel, discordChannel } from './discord.ts';
import { describeSlackChannel, type SlackChannel, slackChannel } from './slack.ts';
import { describeTeamsChannel, type TeamsChannel, teamsChannel } from './teams.ts';
import { describeTwilioChannel, type TwilioChannel, twilioChannel } from './twilio.ts';
import { describeWebChatChannel, type WebChatChannel, webChatChannel } from './webchat.ts';

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
