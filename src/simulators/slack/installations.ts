import { randomBytes } from 'node:crypto';
import { newSlackId } from './identifiers.ts';
import type { World } from './world.ts';

/** The apps, where they are installed, and the tokens that this gave them. */

export type AppOptions = {
  appId: string;
  signingSecret: string;
  name?: string;
  clientId?: string;
  clientSecret?: string;
  /** Socket Mode is on: begins with `xapp-`. */
  appToken?: string;
  eventsUrl?: string;
  /** {@link AppOptions.eventsUrl} when absent. */
  interactionsUrl?: string;
  /** {@link AppOptions.interactionsUrl} when absent. */
  commandsUrl?: string;
  /** What installations are granted unless they say otherwise; every scope when absent. */
  scopes?: readonly string[];
  /** Events that the app subscribes to: `app_mention`, `message.channels`, …; all when absent. */
  events?: readonly string[];
  /** Where an installation may come back to; anywhere when absent. */
  redirectUrls?: readonly string[];
  /** Bot tokens run out after twelve hours and are renewed by a refresh token. */
  tokenRotation?: boolean;
};

export type App = AppOptions & { name: string; verificationToken: string };

export type Installation = {
  appId: string;
  /** `undefined`: in all workspaces of the enterprise. */
  teamId: string | undefined;
  enterpriseId: string | undefined;
  botUserId: string;
  botId: string;
  /** `undefined`: every scope. */
  scopes: readonly string[] | undefined;
  isActive: boolean;
};

export type TokenState = 'active' | 'revoked' | 'expired' | 'inactive';

export type BotToken = {
  value: string;
  installation: Installation;
  state: TokenState;
  expiresAtMs: number | undefined;
  refreshToken: string | undefined;
};

export type InstallOptions = { botToken?: string; scopes?: readonly string[] };
export type Installed = { botToken: string; botUserId: string; botId: string };

export type Installations = ReturnType<typeof createInstallations>;

/** Slack's own: 12 hours. */
export const rotatedTokenSeconds = 43_200;

export function createInstallations(world: World, now: () => number) {
  const apps = new Map<string, App>();
  const installations = new Map<string, Installation>();
  const tokens = new Map<string, BotToken>();

  function app(appId: string): App {
    const found = apps.get(appId);
    if (!found) throw new RangeError(`There is no app ${appId}.`);
    return found;
  }

  function install(
    appId: string,
    place: { teamId: string } | { enterpriseId: string },
    options: InstallOptions = {},
  ) {
    const { scopes = app(appId).scopes } = options;
    const teamId = 'teamId' in place ? place.teamId : undefined;
    const enterpriseId = 'teamId' in place ? world.workspace(place.teamId).enterpriseId : place.enterpriseId;
    const key = `${appId}/${teamId ?? enterpriseId}`;
    const before = installations.get(key);
    const installation: Installation = before ?? {
      appId,
      teamId,
      enterpriseId,
      botUserId: newSlackId('U'),
      botId: newSlackId('B'),
      scopes,
      isActive: true,
    };
    installation.isActive = true;
    installation.scopes = scopes;
    installations.set(key, installation);
    return { installation, token: issueToken(installation, options.botToken) };
  }

  /** A second installation brings the token of the first, unless tokens rotate. */
  function issueToken(installation: Installation, wanted?: string): BotToken {
    const rotates = app(installation.appId).tokenRotation === true;
    const before = tokensOf(installation).find(({ state }) => state === 'active');
    if (before && !rotates && (wanted === undefined || wanted === before.value)) return before;
    if (wanted !== undefined && tokens.has(wanted)) throw new RangeError('The bot token is taken.');
    const secret = randomBytes(15).toString('base64url');
    const token: BotToken = {
      value: wanted ?? (rotates ? `xoxe.xoxb-1-${secret}` : `xoxb-${Date.now()}-${secret}`),
      installation,
      state: 'active',
      expiresAtMs: rotates ? now() + rotatedTokenSeconds * 1_000 : undefined,
      refreshToken: rotates ? `xoxe-1-${randomBytes(15).toString('base64url')}` : undefined,
    };
    tokens.set(token.value, token);
    return token;
  }

  function tokensOf(installation: Installation): BotToken[] {
    return [...tokens.values()].filter((token) => token.installation === installation);
  }

  return {
    app,
    install,
    tokensOf,

    addApp(options: AppOptions): App {
      if (apps.has(options.appId)) throw new RangeError(`There is an app ${options.appId} already.`);
      const added = {
        ...options,
        name: options.name ?? `App ${options.appId}`,
        verificationToken: randomBytes(12).toString('hex'),
      };
      apps.set(added.appId, added);
      return added;
    },

    appByClient: (clientId: string) => [...apps.values()].find((one) => one.clientId === clientId),
    appByToken: (appToken: string) => [...apps.values()].find((one) => one.appToken === appToken),

    /** The token and the state that it is in now. */
    token(value: string): BotToken | undefined {
      const token = tokens.get(value);
      if (token?.state === 'active' && token.expiresAtMs !== undefined && token.expiresAtMs <= now())
        token.state = 'expired';
      return token;
    },

    tokenByRefresh: (refreshToken: string) =>
      [...tokens.values()].find((token) => token.refreshToken === refreshToken && token.state !== 'revoked'),

    /** A new token for an old one, which ends at once. */
    renew(token: BotToken): BotToken {
      token.refreshToken = undefined;
      if (token.state === 'active') token.state = 'expired';
      return issueToken(token.installation);
    },

    uninstall(appId: string, place: string): Installation {
      const installation = installations.get(`${appId}/${place}`);
      if (!installation) throw new RangeError(`The app ${appId} is not installed in ${place}.`);
      installation.isActive = false;
      for (const token of tokensOf(installation)) token.state = 'inactive';
      return installation;
    },

    revoke(value: string): BotToken {
      const token = tokens.get(value);
      if (!token) throw new RangeError('There is no such bot token.');
      token.state = 'revoked';
      return token;
    },

    /** Who is there to be told what happens in a workspace. */
    inTeam(teamId: string): Installation[] {
      const { enterpriseId } = world.workspace(teamId);
      return [...installations.values()].filter(
        (one) =>
          one.isActive &&
          (one.teamId === teamId || (one.teamId === undefined && one.enterpriseId === enterpriseId)),
      );
    },

    find(appId: string, teamId: string): Installation | undefined {
      return this.inTeam(teamId).find((one) => one.appId === appId);
    },

    /** The workspaces that an installation reaches. */
    teamsOf(installation: Installation): string[] {
      if (installation.teamId !== undefined) return [installation.teamId];
      return world.teamsWhere(({ enterpriseId }) => enterpriseId === installation.enterpriseId);
    },
  };
}
