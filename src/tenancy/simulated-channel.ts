import type { DiscordChannel } from '@swarmgate/contract/channels/discord.ts';
import type { SlackChannel } from '@swarmgate/contract/channels/slack.ts';
import type { TeamsChannel } from '@swarmgate/contract/channels/teams.ts';
import type { TwilioChannel } from '@swarmgate/contract/channels/twilio.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { applyChannels } from './apply/apply-channels.ts';
import { enterTenant } from './enter-tenant.ts';
import type { Scopes } from './scopes.ts';

/** A channel that talks to a stand-in of its platform on this machine. */
export type SimulatedChannel = {
  tenant: string;
  channel: SlackChannel | TwilioChannel | DiscordChannel | TeamsChannel;
  /** Where the stand-in's API is. */
  apiUrl: string;
};

/**
 * Makes a tenant's channel for a simulation, or takes up the one of the last time, and answers its key. Only an operator
 * gets here: the address may lead to this machine itself.
 */
export async function openSimulatedChannel(
  { scopes, keyRing }: { scopes: Scopes; keyRing: KeyRing },
  { tenant, channel, apiUrl }: SimulatedChannel,
): Promise<{ key: string }> {
  let key = '';
  await scopes.inPlatform(async (unit) => {
    const tenantId = await enterTenant(unit, tenant);
    await applyChannels({ keyRing }, unit, tenantId, tenant, [channel], (change) => {
      if (change.path === `${tenant}/${channel.slug}` && change.key) key = change.key;
    });
    await unit.sql(
      `UPDATE swarmgate.channels SET settings = settings || jsonb_build_object('apiUrl', $2::text),
         status = 'active', status_reason = NULL WHERE slug = $1`,
      [channel.slug, apiUrl],
    );
  });
  return { key };
}

/** Pauses the channel of a simulation that has ended: nobody is there to send to. */
export async function closeSimulatedChannel(
  { scopes }: { scopes: Scopes },
  { tenant, slug }: { tenant: string; slug: string },
): Promise<void> {
  await scopes.inPlatform(async (unit) => {
    await enterTenant(unit, tenant);
    await unit.sql(
      `UPDATE swarmgate.channels SET status = 'paused',
         status_reason = 'the simulation has ended; start another with "swarmgate simulate"' WHERE slug = $1`,
      [slug],
    );
  });
}
