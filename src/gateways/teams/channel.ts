import type { TeamsChannelSettings } from '@swarmgate/contract/channels/teams.ts';
import type { Channel, OpenChannel } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';
import type { ChannelPlace } from '../journey.ts';
import { cloudOf, publicMetadataUrl, type TeamsCloud } from './clouds.ts';

/** A bot as Microsoft knows it. Without `appTenant` it is multi-tenant. */
export type TeamsApp = { appId: string; appPassword: string; appTenant?: string };

/** Where Microsoft is, when it is not at its own addresses; the operator's words, and never a tenant's. */
export type TeamsAddresses = { openIdMetadataUrl?: string | undefined; loginUrl?: string | undefined };

export type TeamsEndpoints = { metadataUrl: string; loginUrl: string; cloud: TeamsCloud };

export function settingsOf(channel: Channel): TeamsChannelSettings {
  return channel.settings as TeamsChannelSettings;
}

export function placeOf({ tenantId, id }: Channel): ChannelPlace {
  return { tenantId, channelId: id, platform: 'teams' };
}

/** The bot that a channel speaks as: its own, or the shared one. @throws {GatewayError} when there is none */
export function appOf(channel: OpenChannel, shared: TeamsApp | undefined): TeamsApp {
  const { appId, appTenant } = settingsOf(channel);
  const appPassword = channel.secrets['appPassword'];
  if (appId !== undefined && appPassword) return { appId, appPassword, ...(appTenant && { appTenant }) };
  if (appId === undefined && shared) return shared;
  throw new GatewayError(
    'credentials_refused',
    appId === undefined
      ? 'The Teams channel has no bot of its own, and there is no shared one: set TEAMS_APP_ID and TEAMS_APP_PASSWORD.'
      : 'The Teams channel has no appPassword for its bot.',
  );
}

/** Where keys and tokens come from, for the shared bot (`undefined`) or for a channel's. */
export function endpointsOf(channel: Channel | undefined, addresses: TeamsAddresses): TeamsEndpoints {
  const standIn = channel && settingsOf(channel).apiUrl?.replace(/\/+$/, '');
  const metadataUrl =
    standIn === undefined
      ? (addresses.openIdMetadataUrl ?? publicMetadataUrl)
      : `${standIn}/v1/.well-known/openidconfiguration`;
  const cloud = cloudOf(metadataUrl);
  const loginUrl = (standIn ?? addresses.loginUrl ?? cloud.loginUrl).replace(/\/+$/, '');
  return { metadataUrl, loginUrl, cloud };
}
