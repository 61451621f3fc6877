import { setTimeout as sleep } from 'node:timers/promises';
import { WebAPIPlatformError } from '@slack/web-api';
import type { SlackInstallation } from '@swarmgate/contract/channels/slack.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Logger } from '#kernel/logger.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { installAgain } from '../../install-pause.ts';
import type { ChannelDirectory, ChannelKeeper } from '../../journey.ts';
import { botTokenOf, secretsOf, settingsOf } from '../channel.ts';
import { describeFailure } from '../outbound/api-failures.ts';
import { createAppClient } from './install-client.ts';
import { type BotToken, readBotToken, type SlackApp, writeInstallation } from './install-grant.ts';

export type SlackTokenParts = {
  channels: Pick<ChannelDirectory, 'find'>;
  keeper: Pick<ChannelKeeper, 'install'>;
  /** The shared app of the environment; `undefined`: there is none. */
  sharedApp: SlackApp | undefined;
  /** Another address of the Web API than Slack's. */
  apiUrl: string | undefined;
  logger: Logger;
  nowMs?: () => number;
  /** Waits; a test's clock may pass instead. */
  wait?: (ms: number) => Promise<unknown>;
};

/** The bot token that a channel's calls are made with. @throws {GatewayError} when there is none that Slack would take. */
export type SlackTokens = (channel: OpenChannel) => Promise<string>;

/** Tokens live for twelve hours (https://docs.slack.dev/authentication/using-token-rotation). */
const renewalAheadMs = 10 * 60_000;
/** How long what was found out about an old token is not asked again. */
const renewedTtlMs = 60_000;
const channelsMax = 10_000;
/** Another process may have renewed it and not have it committed yet; what `find` answers may be a second old. */
const lookAgainAfterMs = [0, 500, 1_000, 1_500];
const keepAgainAfterMs = [250, 1_000, 4_000];

/**
 * Renews installed bot tokens of apps with token rotation, once for all who ask in this process. A refresh token serves
 * once: when another process was first, its token is found in the channel.
 */
export function createSlackTokens(parts: SlackTokenParts): SlackTokens {
  const { channels, logger, nowMs = Date.now, wait = sleep } = parts;
  // By the old token, which callers that hold an older copy of the channel still come with.
  const renewed = createExpiringCache<string>(renewedTtlMs, channelsMax, nowMs);

  const isFresh = (channel: OpenChannel) => {
    const expiresAtMs = expiryOf(channel);
    return expiresAtMs === undefined || expiresAtMs - nowMs() >= renewalAheadMs;
  };
  const reload = async (channel: OpenChannel) =>
    (await channels.find(channel.tenantId, channel.id)) ?? channel;

  async function renew(stale: OpenChannel): Promise<string> {
    const channel = await reload(stale);
    if (isFresh(channel)) return botTokenOf(channel);
    try {
      const token = await refresh(parts, channel, nowMs());
      await keep(channel, token);
      return token.token;
    } catch (error) {
      const newer = isSpent(error) && (await findNewer(channel));
      if (newer) return newer;
      if ((expiryOf(channel) ?? 0) > nowMs()) {
        logger.warn(
          { err: error, tenantId: channel.tenantId },
          'a Slack token was not renewed and is used on',
        );
        return botTokenOf(channel);
      }
      throw asGatewayError(error);
    }
  }

  async function findNewer(channel: OpenChannel): Promise<string | undefined> {
    for (const delayMs of lookAgainAfterMs) {
      await wait(delayMs);
      const now = await reload(channel);
      if (botTokenOf(now) !== botTokenOf(channel) && isFresh(now)) return botTokenOf(now);
    }
    return undefined;
  }

  // Slack has forgotten the old refresh token: one that is not kept now is lost, and the app must be installed again.
  async function keep(channel: OpenChannel, token: BotToken): Promise<void> {
    const { tenantId, id: channelId, platform } = channel;
    const { installation = {}, appId = '' } = settingsOf(channel);
    const installed = { ...writeInstallation(installation, token, appId), renews: true };
    for (const delayMs of [...keepAgainAfterMs, undefined]) {
      try {
        return await parts.keeper.install({ tenantId, channelId, platform }, installed);
      } catch (error) {
        if (delayMs === undefined) {
          logger.error(
            { err: error, tenantId },
            'a renewed Slack token could not be kept: the app will have to be installed again within twelve hours',
          );
          return;
        }
        await wait(delayMs);
      }
    }
  }

  return async (channel) => {
    const token = botTokenOf(channel);
    if (secretsOf(channel).botToken !== undefined || isFresh(channel)) return token;
    return renewed(`${channel.id}/${token}`, () => renew(channel));
  };
}

function expiryOf(channel: OpenChannel): number | undefined {
  const { tokenExpiresAt }: SlackInstallation = settingsOf(channel).installation ?? {};
  return tokenExpiresAt === undefined ? undefined : Date.parse(tokenExpiresAt);
}

async function refresh(parts: SlackTokenParts, channel: OpenChannel, nowMs: number): Promise<BotToken> {
  const { appId, clientId, apiUrl = parts.apiUrl } = settingsOf(channel);
  const { clientSecret, installedRefreshToken } = secretsOf(channel);
  const app = appId === undefined ? parts.sharedApp : { clientId, clientSecret };
  if (!app?.clientId || !app.clientSecret || installedRefreshToken === undefined)
    throw new GatewayError('credentials_refused', 'A Slack token cannot be renewed.', {
      channelFault: `A Slack token runs out and cannot be renewed: client id, client secret or refresh token is missing. Set them first. ${installAgain}.`,
    });
  const response = await createAppClient(apiUrl).oauth.v2.access({
    client_id: app.clientId,
    client_secret: app.clientSecret,
    grant_type: 'refresh_token',
    refresh_token: installedRefreshToken,
  });
  const token = readBotToken(response, nowMs);
  if (token) return token;
  throw new GatewayError('unavailable', 'Slack answered to a refresh token without a bot token.');
}

function isSpent(error: unknown): boolean {
  return error instanceof WebAPIPlatformError && error.data.error === 'invalid_refresh_token';
}

function asGatewayError(error: unknown): GatewayError {
  const failure = describeFailure(error, 'oauth.v2.access', { signal: neverAborts, status: undefined });
  if (failure.retry === 'later' || error instanceof GatewayError) return failure;
  return new GatewayError(
    'credentials_refused',
    `Slack does not renew the bot token (${failure.platformCode}).`,
    {
      channelFault: `Slack does not renew the bot token (${failure.platformCode}). ${installAgain}.`,
      ...(failure.platformCode && { platformCode: failure.platformCode }),
      cause: failure,
    },
  );
}

const neverAborts = new AbortController().signal;
