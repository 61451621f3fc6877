import type { SlackInstallation } from '@swarmgate/contract/channels/slack.ts';
import { AppError } from '#domain/errors.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import type { Logger } from '#kernel/logger.ts';
import type { OpenChannel } from '../../gateway.ts';
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
import { settingsOf } from '../channel.ts';
import * as answers from './install-answers.ts';
import { type AppParts, authorizeUrl, type ChosenApp, chooseApp } from './install-app.ts';
import { accountOf, redeemCode, revokeToken, type SlackGrant, writeInstallation } from './install-grant.ts';

export type InstallRequest = {
  /** The address that the browser called, as it knows it. */
  url: URL;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** In the address of an app of the tenant's own; absent for the shared app. */
  channelKey?: string;
};

export type SlackInstallParts = AppParts & {
  keyRing: KeyRing;
  links: InstallLinks;
  states: InstallStates;
  channels: Pick<ChannelDirectory, 'find' | 'findByAccount'>;
  keeper: Pick<ChannelKeeper, 'install'>;
  logger: Logger;
  nowMs?: () => number;
};

export interface SlackInstall {
  /** `GET …/install?link=…`: sends the browser to Slack. */
  begin(request: InstallRequest): Promise<InstallAnswer>;
  /** `GET …/oauth?code=…&state=…`: Slack sends the browser back. */
  finish(request: InstallRequest): Promise<InstallAnswer>;
}

/**
 * Installs the shared app, or an app of the tenant's own, in a workspace or an enterprise (OAuth v2,
 * https://docs.slack.dev/authentication/installing-with-oauth) and connects that to the channel that the link names.
 */
export function createSlackInstall(parts: SlackInstallParts): SlackInstall {
  const { links, states, channels, keeper, logger, nowMs = Date.now } = parts;
  const seal = createStateSeal(parts.keyRing, 'slack');

  async function begin({ url, channelKey }: InstallRequest): Promise<InstallAnswer> {
    const link = await links.check(url.searchParams.get('link') ?? '');
    if (!link.ok) return link.reason === 'expired' ? answers.linkExpired() : answers.linkWrong();
    const channel = await channels.find(link.tenantId, link.channelId);
    const found = channel && chooseApp(parts, channel, channelKey);
    if (!found) return answers.linkWrong();
    if ('refusal' in found) return found.refusal;
    if (!mayInstall(channel)) return refusePaused(channel);

    const { state, stateHash, browserSecret } = seal.begin(link.tenantId, { channelKey });
    const { tenantId, channelId } = link;
    await states.begin({ tenantId, channelId, stateHash, ttlMs: installTtlMs });
    const location = await authorizeUrl(found, state, redirectUriOf(url));
    return withCookie(redirectTo(location), writeInstallCookie('slack', url, browserSecret));
  }

  function refusePaused({ tenantId, id, statusReason }: OpenChannel): InstallAnswer {
    const fields = { tenantId, channelId: id, reason: statusReason };
    logger.warn(fields, 'an installation was refused: the Slack channel is paused');
    return answers.paused();
  }

  async function finish(request: InstallRequest): Promise<InstallAnswer> {
    return withCookie(await settle(request), clearInstallCookie('slack', request.url));
  }

  async function settle({ url, headers, channelKey }: InstallRequest): Promise<InstallAnswer> {
    const browserSecret = readInstallCookie('slack', url, headers['cookie']);
    const state = seal.check(url.searchParams.get('state') ?? '', browserSecret ?? '', { channelKey });
    if (!state || browserSecret === undefined) return answers.stateWrong();
    // Before anything else is looked at, so that it serves once however it ends.
    const channelId = await states.use(state);
    if (channelId === undefined) return answers.stateWrong();

    const refused = url.searchParams.get('error');
    if (refused !== null)
      return refused === 'access_denied' ? answers.denied() : answers.slackRefused(refused);
    const code = url.searchParams.get('code');
    if (!code) return answers.stateWrong();

    const channel = await channels.find(state.tenantId, channelId);
    const found = channel && chooseApp(parts, channel, channelKey);
    if (!found) return answers.linkWrong();
    if ('refusal' in found) return found.refusal;
    if (!mayInstall(channel)) return refusePaused(channel);
    return install(channel, found, code, redirectUriOf(url));
  }

  async function install(
    channel: OpenChannel,
    chosen: ChosenApp,
    code: string,
    redirectUri: string,
  ): Promise<InstallAnswer> {
    const at = { tenantId: channel.tenantId, channelId: channel.id, platform: channel.platform };
    const { app, account, apiUrl } = chosen;
    let redeemed: Awaited<ReturnType<typeof redeemCode>>;
    try {
      redeemed = await redeemCode(app, code, redirectUri, { apiUrl, nowMs: nowMs() });
    } catch (error) {
      logger.warn({ err: error, tenantId: at.tenantId }, 'Slack did not answer while an app was installed');
      return answers.slackAway();
    }
    if (!redeemed.ok) {
      logger.warn({ code: redeemed.code, tenantId: at.tenantId }, 'Slack refused to finish an installation');
      return answers.slackRefused(redeemed.code);
    }

    const { grant } = redeemed;
    if (grant.appId !== app.appId) {
      logger.error(
        { tenantId: at.tenantId, reason: `${grant.appId} instead of ${app.appId}` },
        'the client id of a Slack app belongs to another app than its app id: set them to those of one app',
      );
      await giveBack(chosen, grant);
      return answers.otherApp();
    }
    if (!isExpected(channel, grant.facts)) {
      await giveBack(chosen, grant);
      return answers.otherWorkspace();
    }

    try {
      const facts = { ...grant.facts, installedAt: new Date(nowMs()).toISOString() };
      await keeper.install(at, writeInstallation(facts, grant.token, account));
    } catch (error) {
      if (error instanceof AppError && error.code === 'channel_claimed') return answers.claimed();
      throw error;
    }
    logger.info({ tenantId: at.tenantId }, 'a Slack app was installed');
    return answers.installed(grant.facts.name);
  }

  // An app has one bot token in a workspace: while a channel uses it, giving it back would cut that channel off.
  async function giveBack(
    { account, apiUrl }: ChosenApp,
    { appId, token, facts }: SlackGrant,
  ): Promise<void> {
    const apps = new Set([account, appId, ...(appId === parts.sharedApp?.appId ? [''] : [])]);
    for (const app of apps) {
      if (await channels.findByAccount('slack', accountOf(facts, app))) return;
    }
    if (await revokeToken(token.token, apiUrl)) return;
    logger.warn({}, 'a Slack app stays installed where it is not used: its token could not be given back');
  }

  return { begin, finish };
}

/** Beside `…/install`, and where Slack sends the browser: it must be the same in both steps. */
function redirectUriOf(url: URL): string {
  const address = new URL(url);
  address.pathname = url.pathname.replace(/[^/]*\/*$/, 'oauth');
  address.search = '';
  return address.href;
}

/**
 * Whether that is the workspace or enterprise which the channel is for. One that is connected and at work stays with its
 * workspace, so that a link which got into other hands does not move it.
 */
function isExpected(channel: OpenChannel, { workspace, enterprise }: SlackInstallation): boolean {
  const settings = settingsOf(channel);
  const named = settings.workspace ?? settings.enterprise;
  const current = settings.installation?.workspace ?? settings.installation?.enterprise;
  const expected = named ?? (channel.status === 'active' ? current : undefined);
  return expected === undefined || expected === (workspace ?? enterprise);
}
