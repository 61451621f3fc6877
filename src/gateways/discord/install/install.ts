import { AppError } from '#domain/errors.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Channel, OpenChannel } from '../../gateway.ts';
import {
  clearInstallCookie,
  installTtlMs,
  readInstallCookie,
  writeInstallCookie,
} from '../../install-cookie.ts';
import type { InstallLinks } from '../../install-links.ts';
import { type InstallAnswer, redirectTo, withCookie } from '../../install-page.ts';
import { mayInstall } from '../../install-pause.ts';
import { createStateSeal } from '../../install-state.ts';
import type { ChannelDirectory, ChannelKeeper, InstallStates } from '../../journey.ts';
import { secretsOf, settingsOf } from '../channel.ts';
import { authorizeUrl, redeemCode } from './authorize.ts';
import * as answers from './install-answers.ts';

export type DiscordInstallRequest = {
  /** The address that the browser called, as it knows it. */
  url: URL;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** In the address of an app of the tenant's own; absent for the shared app. */
  channelKey?: string;
};

export type DiscordInstallParts = {
  sharedApp: { applicationId: string; clientSecret?: string } | undefined;
  apiUrl: string | undefined;
  keyRing: KeyRing;
  links: InstallLinks;
  states: InstallStates;
  channels: Pick<ChannelDirectory, 'find'>;
  keeper: Pick<ChannelKeeper, 'install'>;
  logger: Logger;
  nowMs?: () => number;
};

type ChosenApp = { applicationId: string; clientSecret: string; account: string; apiUrl: string | undefined };

/**
 * Invites the shared app's bot, or an own one, to a server and connects that to the channel that the link names: the state
 * is bound to the tenant and the browser and counts once, and the code exchange says which server it is.
 */
export function createDiscordInstall(parts: DiscordInstallParts) {
  const { links, states, channels, keeper, logger, nowMs = Date.now } = parts;
  const seal = createStateSeal(parts.keyRing, 'discord');

  async function begin({ url, channelKey }: DiscordInstallRequest): Promise<InstallAnswer> {
    const link = await links.check(url.searchParams.get('link') ?? '');
    if (!link.ok) return link.reason === 'expired' ? answers.linkExpired() : answers.linkWrong();
    const channel = await channels.find(link.tenantId, link.channelId);
    const app = channel && chooseApp(parts, channel, channelKey);
    if (!channel || !app) return answers.linkWrong();
    if ('refusal' in app) return app.refusal;
    if (!mayInstall(channel)) return refusePaused(channel);
    const { state, stateHash, browserSecret } = seal.begin(link.tenantId, { channelKey });
    const { tenantId, channelId } = link;
    await states.begin({ tenantId, channelId, stateHash, ttlMs: installTtlMs });
    const { guild } = settingsOf(channel);
    const location = authorizeUrl({ ...app, guild, back: { redirectUri: redirectUriOf(url), state } });
    return withCookie(redirectTo(location), writeInstallCookie('discord', url, browserSecret));
  }

  function refusePaused({ tenantId, id, statusReason }: OpenChannel): InstallAnswer {
    const fields = { tenantId, channelId: id, reason: statusReason };
    logger.warn(fields, 'an installation was refused: the Discord channel is paused');
    return answers.paused();
  }

  async function settle({ url, headers, channelKey }: DiscordInstallRequest): Promise<InstallAnswer> {
    const browserSecret = readInstallCookie('discord', url, headers['cookie']);
    const state = seal.check(url.searchParams.get('state') ?? '', browserSecret ?? '', { channelKey });
    if (!state || browserSecret === undefined) return answers.stateWrong();
    // Before anything else is looked at, so that it serves once however it ends.
    const channelId = await states.use(state);
    if (channelId === undefined) return answers.stateWrong();
    if (url.searchParams.get('error') !== null) return answers.denied();
    const code = url.searchParams.get('code');
    if (!code) return answers.stateWrong();
    const channel = await channels.find(state.tenantId, channelId);
    const app = channel && chooseApp(parts, channel, channelKey);
    if (!channel || !app) return answers.linkWrong();
    if ('refusal' in app) return app.refusal;
    if (!mayInstall(channel)) return refusePaused(channel);
    return connect(channel, app, code, redirectUriOf(url));
  }

  async function connect(
    channel: OpenChannel,
    app: ChosenApp,
    code: string,
    redirectUri: string,
  ): Promise<InstallAnswer> {
    const { tenantId, id: channelId, platform } = channel;
    const redeemed = await redeemCode(app, code, redirectUri);
    if (redeemed.kind !== 'granted') {
      const refusal = redeemed.kind === 'refused' ? redeemed.code : 'no answer';
      logger.warn({ tenantId, code: refusal }, 'Discord did not finish an installation');
      return redeemed.kind === 'away' ? answers.discordAway() : answers.discordRefused();
    }
    const { guild } = redeemed;
    if (!isExpected(channel, guild.id)) return answers.otherServer();
    try {
      await keeper.install(
        { tenantId, channelId, platform },
        {
          facts: {
            ...{ guild: guild.id, installedAt: new Date(nowMs()).toISOString() },
            ...(guild.name !== undefined && { name: guild.name }),
          },
          secrets: {},
          claims: [{ kind: 'guild', app: app.account, key: guild.id }],
        },
      );
    } catch (error) {
      if (error instanceof AppError && error.code === 'channel_claimed') return answers.claimed();
      throw error;
    }
    logger.info({ tenantId }, 'a Discord server was connected');
    return answers.installed(guild.name);
  }

  return {
    /** `GET …/install?link=…`: sends the browser to Discord. */
    begin,
    /** `GET …/oauth?code=…&state=…`: Discord sends the browser back. */
    finish: async (request: DiscordInstallRequest): Promise<InstallAnswer> =>
      withCookie(await settle(request), clearInstallCookie('discord', request.url)),
  };
}

/** The app that the address stands for; `undefined` when it is not this channel's address. */
function chooseApp(
  { sharedApp, apiUrl }: DiscordInstallParts,
  channel: OpenChannel,
  channelKey: string | undefined,
): ChosenApp | { refusal: InstallAnswer } | undefined {
  const { applicationId, apiUrl: standIn = apiUrl } = settingsOf(channel);
  const isHere = applicationId === undefined ? channelKey === undefined : channelKey === channel.key;
  if (channel.platform !== 'discord' || !isHere) return undefined;
  if (channel.tenantStatus !== 'active') return { refusal: answers.tenantClosed() };
  const { clientSecret } = applicationId === undefined ? (sharedApp ?? {}) : secretsOf(channel);
  const id = applicationId ?? sharedApp?.applicationId;
  if (id === undefined || clientSecret === undefined) return { refusal: answers.noApp() };
  return { applicationId: id, clientSecret, account: applicationId ?? '', apiUrl: standIn };
}

/** One that is connected and at work stays with its server, so that a link in other hands does not move it. */
function isExpected(channel: OpenChannel, guild: string): boolean {
  const { guild: named, installation } = settingsOf(channel);
  const expected = named ?? (channel.status === 'active' ? installation?.guild : undefined);
  return expected === undefined || expected === guild;
}

/** Beside `…/install`, and where Discord sends the browser: it must be the same in both steps. */
function redirectUriOf(url: URL): string {
  const address = new URL(url);
  address.pathname = url.pathname.replace(/[^/]*\/*$/, 'oauth');
  address.search = '';
  return address.href;
}

/** The address that a person opens. An app of the tenant's own has its channel's key in it, as its other addresses have. */
export function writeDiscordInstallLink(publicUrl: string, channel: Channel, token: string): string {
  const path = settingsOf(channel).applicationId === undefined ? 'discord' : `discord/${channel.key}`;
  return `${publicUrl}/webhooks/${path}/install?link=${token}`;
}
