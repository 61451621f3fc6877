import type { AnyChannel } from '@swarmgate/contract/channels/catalog.ts';
import { discordChannel } from '@swarmgate/contract/channels/discord.ts';
import { slackChannel } from '@swarmgate/contract/channels/slack.ts';
import { teamsChannel } from '@swarmgate/contract/channels/teams.ts';
import { twilioChannel } from '@swarmgate/contract/channels/twilio.ts';
import type { Settings } from '@swarmgate/contract/settings.ts';
import type { z } from 'zod';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';

export type PlatformTenant = {
  slug?: string;
  model?: string;
  settings?: Settings;
  channels: readonly AnyChannel[];
};

/** A plan that makes one tenant with channels on platforms and one agent that repeats what it hears. */
export function planPlatformTenant({
  slug = 'shop',
  model = 'builtin/echo',
  settings,
  channels,
}: PlatformTenant): ApplyPlan {
  const tenant = {
    slug,
    name: slug,
    region: 'local',
    settings,
    channels: [...channels],
    agents: [{ slug: 'default', model, instructions: '', settings: {} }],
    knowledge: [],
  };
  return { organizations: [{ slug: 'acme', name: 'Acme Inc', plan: 'free', tenants: [tenant] }] };
}

/** A Slack channel as an apply file would give it; `T1` of the shared app unless told otherwise. */
export function slackChannelOf(given: Partial<z.input<typeof slackChannel>> = {}): AnyChannel {
  return slackChannel.parse({ slug: 'slack', platform: 'slack', ...given });
}

/** A Teams channel as an apply file would give it. */
export function teamsChannelOf(
  given: Partial<z.input<typeof teamsChannel>> & { aadTenant: string },
): AnyChannel {
  return teamsChannel.parse({ slug: 'teams', platform: 'teams', ...given });
}

/** A Twilio channel as an apply file would give it. */
export function twilioChannelOf(given: Partial<z.input<typeof twilioChannel>>): AnyChannel {
  return twilioChannel.parse({ slug: 'sms', platform: 'twilio', ...given });
}

/** A Discord channel as an apply file would give it; server `1001` of the shared app unless told otherwise. */
export function discordChannelOf(given: Partial<z.input<typeof discordChannel>> = {}): AnyChannel {
  return discordChannel.parse({ slug: 'discord', platform: 'discord', ...given });
}
