import { type OauthV2AccessResponse, WebAPIPlatformError } from '@slack/web-api';
import type { AccountKey } from '@swarmgate/contract/channels/described-channel.ts';
import type { SlackChannelSecrets, SlackInstallation } from '@swarmgate/contract/channels/slack.ts';
import type { ChannelInstallation } from '../../journey.ts';
import { createAppClient } from './install-client.ts';

/** An app as Slack knows it. */
export type SlackApp = { appId: string; clientId: string; clientSecret: string };

/** What a workspace, or a whole enterprise, has granted to an app. */
export type SlackGrant = {
  appId: string;
  token: BotToken;
  facts: SlackInstallation;
};

/** With token rotation a token runs out after some hours, and another one is had for its refresh token, once. */
export type BotToken = { token: string; refreshToken?: string; expiresAt?: Date };

export type RedeemResult =
  | { ok: true; grant: SlackGrant }
  /** `code`: Slack's own word for it, or ours. */
  | { ok: false; code: string };

/**
 * Exchanges the code that Slack gave the browser (https://docs.slack.dev/reference/methods/oauth.v2.access). An answer
 * of Slack's that is no grant is a value. @throws {SlackError} when Slack does not answer.
 */
export async function redeemCode(
  app: SlackApp,
  code: string,
  redirectUri: string,
  options: { apiUrl: string | undefined; nowMs: number },
): Promise<RedeemResult> {
  try {
    const response = await createAppClient(options.apiUrl).oauth.v2.access({
      client_id: app.clientId,
      client_secret: app.clientSecret,
      code,
      redirect_uri: redirectUri,
    });
    const grant = readGrant(response, options.nowMs);
    return grant ? { ok: true, grant } : { ok: false, code: 'no_bot_token' };
  } catch (error) {
    if (error instanceof WebAPIPlatformError) return { ok: false, code: readCode(error.data.error) };
    throw error;
  }
}

/** An answer that is no JSON comes as the "code", whole. */
function readCode(code: unknown): string {
  return typeof code === 'string' && /^[a-z][a-z0-9_]{1,79}$/.test(code) ? code : 'unintelligible_answer';
}

/** Gives a token back that is not going to be used. Best-effort. */
export async function revokeToken(token: string, apiUrl: string | undefined): Promise<boolean> {
  try {
    await createAppClient(apiUrl).auth.revoke({ token });
    return true;
  } catch {
    return false;
  }
}

/** The account as channels claim it; `app` is '' for the shared app, else the own app's id. */
export function accountOf(facts: SlackInstallation, app: string): AccountKey {
  const { workspace, enterprise } = facts;
  return workspace !== undefined
    ? { kind: 'workspace', app, key: workspace }
    : { kind: 'enterprise', app, key: enterprise ?? '' };
}

/** What is kept of an installation: the same for a new one and for one whose token was renewed. */
export function writeInstallation(
  facts: SlackInstallation,
  { token, refreshToken, expiresAt }: BotToken,
  app: string,
): ChannelInstallation {
  const { tokenExpiresAt: _former, ...lasting } = facts;
  const secrets: SlackChannelSecrets = {
    installedBotToken: token,
    ...(refreshToken !== undefined && { installedRefreshToken: refreshToken }),
  };
  return {
    facts: { ...lasting, ...(expiresAt && { tokenExpiresAt: expiresAt.toISOString() }) },
    secrets: secrets as Record<string, string>,
    claims: [accountOf(facts, app)],
  };
}

export function readBotToken(response: OauthV2AccessResponse, nowMs: number): BotToken | undefined {
  const { access_token: token, refresh_token: refreshToken, expires_in: lifetimeSeconds } = response;
  if (response.token_type !== 'bot' || !token) return undefined;
  if (!refreshToken || lifetimeSeconds === undefined) return { token };
  return { token, refreshToken, expiresAt: new Date(nowMs + lifetimeSeconds * 1_000) };
}

function readGrant(response: OauthV2AccessResponse, nowMs: number): SlackGrant | undefined {
  const { app_id: appId, team, enterprise, bot_user_id: botUserId, scope } = response;
  const token = readBotToken(response, nowMs);
  // On Enterprise Grid a workspace has an enterprise too; only an org-wide installation has no workspace.
  const orgWide = response.is_enterprise_install === true;
  const account = orgWide ? enterprise : team;
  if (!token || !appId || !account?.id) return undefined;
  const facts: SlackInstallation = {
    ...(orgWide ? { enterprise: account.id } : { workspace: account.id }),
    ...(account.name && { name: account.name }),
    ...(botUserId && { botUserId }),
    ...(scope && { scopes: scope.split(',') }),
  };
  return { appId, token, facts };
}
