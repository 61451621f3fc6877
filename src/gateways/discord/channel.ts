import type { DiscordChannelSecrets, DiscordChannelSettings } from '@swarmgate/contract/channels/discord.ts';
import type { Channel, OpenChannel } from '../gateway.ts';

export function settingsOf(channel: Channel): DiscordChannelSettings {
  return channel.settings as DiscordChannelSettings;
}

export function secretsOf(channel: Channel): DiscordChannelSecrets {
  return channel.secrets;
}

/** The app of the environment, for tenants without one of their own. */
export type SharedDiscordApp = { applicationId: string; publicKey: string; botToken: string };

/** An app as calls are made in its name. */
export type DiscordApp = {
  applicationId: string;
  /** What claims call it: '' is the shared app. */
  account: string;
  /** `undefined`: an own app that answers interactions only. */
  botToken: string | undefined;
  /** Where the API is, when it is not Discord's own. */
  apiUrl: string | undefined;
  /**
   * Whose share what Discord refuses is counted against: `tenant/…`; while no tenant is known `guild/…`, or `direct`.
   * Absent: nobody's, such as when the socket is opened.
   */
  onBehalfOf?: string;
};

/** The app, calling for a server. */
export function forGuild(app: DiscordApp, guild: string): DiscordApp {
  return app.onBehalfOf === undefined ? { ...app, onBehalfOf: `guild/${guild}` } : app;
}

/** The app, calling for somebody who has not said whom they talk to. */
export function forDirect(app: DiscordApp): DiscordApp {
  return app.onBehalfOf === undefined ? { ...app, onBehalfOf: 'direct' } : app;
}

/**
 * Under what people's choices for an app are kept. Anybody may write any application's id into a file, and sign for it with
 * a key of their own: each tenant's own app has its own, so that nobody undoes another tenant's.
 */
export function choicesOf({ account, onBehalfOf = '' }: DiscordApp): string {
  return account === '' ? '' : `${account}/${onBehalfOf}`;
}

export type AppFinder = {
  shared: DiscordApp | undefined;
  /** The app that a channel talks by; `undefined`: the shared one, and there is none. */
  of(channel: OpenChannel): DiscordApp | undefined;
};

export function createAppFinder(
  sharedApp: SharedDiscordApp | undefined,
  apiUrl: string | undefined,
): AppFinder {
  const shared = sharedApp && {
    ...{ applicationId: sharedApp.applicationId, account: '', botToken: sharedApp.botToken, apiUrl },
  };
  return {
    shared,
    of(channel) {
      const { applicationId, apiUrl: standIn = apiUrl } = settingsOf(channel);
      const onBehalfOf = `tenant/${channel.tenantId}`;
      if (applicationId === undefined) return shared && { ...shared, apiUrl: standIn, onBehalfOf };
      const { botToken } = secretsOf(channel);
      return { applicationId, account: applicationId, botToken, apiUrl: standIn, onBehalfOf };
    },
  };
}
