import type { Config } from '#config/config.ts';
import { type Finding, listed } from './findings.ts';

/** A channel that gives no app of its own. */
export type OnSharedApp = { tenant: string; slug: string; platform: string };

const variables: Readonly<Record<string, string>> = {
  slack: 'SLACK_APP_ID and SLACK_SIGNING_SECRET',
  discord: 'DISCORD_APPLICATION_ID, DISCORD_PUBLIC_KEY and DISCORD_BOT_TOKEN',
  teams: 'TEAMS_APP_ID and TEAMS_APP_PASSWORD',
  twilio: 'TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN',
};

/** Channels on a shared app that this environment does not have: nobody is heard there, and nothing says why. */
export function examineSharedApps(
  channels: readonly OnSharedApp[],
  { slack, discord, teams, twilio }: Config['platforms'],
): Omit<Finding, 'check'> {
  const has: Readonly<Record<string, boolean>> = {
    ...{ slack: slack.app !== undefined, discord: discord.app !== undefined },
    ...{ teams: teams.app !== undefined, twilio: twilio.account !== undefined },
  };
  const lost = channels.filter(({ platform }) => has[platform] === false);
  if (lost.length === 0) return { state: 'ok', says: 'no channel is on one that is not here' };
  const platforms = [...new Set(lost.map(({ platform }) => platform))];
  return {
    state: 'warning',
    says: `channels on a shared app that is not set here: ${listed(lost.map(({ tenant, slug, platform }) => `${tenant}/${slug} (${platform})`))}`,
    mend: `start the service with ${platforms.map((platform) => variables[platform]).join('; ')}, or give the channel an app of its own (docs/apply.md)`,
  };
}
