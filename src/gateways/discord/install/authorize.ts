import { PermissionFlagsBits } from 'discord-api-types/v10';

/** What the bot may do in a server: read, write, answer in threads, show files and what an answer rests on. */
const permissions =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.SendMessagesInThreads |
  PermissionFlagsBits.CreatePublicThreads |
  PermissionFlagsBits.EmbedLinks |
  PermissionFlagsBits.AttachFiles |
  PermissionFlagsBits.ReadMessageHistory;

const scopes = 'bot applications.commands';

export type AuthorizeOptions = {
  applicationId: string;
  apiUrl: string | undefined;
  /** The server that is to be chosen; it is then the only one that is offered. */
  guild: string | undefined;
  /** The way back, and what comes along on it; without them Discord itself says that it is done. */
  back?: { redirectUri: string; state: string };
};

/** Where a browser goes to invite the bot. @see https://discord.com/developers/docs/topics/oauth2#bot-authorization-flow */
export function authorizeUrl({ applicationId, apiUrl, guild, back }: AuthorizeOptions): string {
  const url = new URL(apiUrl === undefined ? 'https://discord.com' : new URL(apiUrl).origin);
  url.pathname = '/oauth2/authorize';
  url.search = new URLSearchParams({
    ...{ client_id: applicationId, scope: scopes, permissions: String(permissions), integration_type: '0' },
    ...(guild !== undefined && { guild_id: guild, disable_guild_select: 'true' }),
    ...(back && { response_type: 'code', redirect_uri: back.redirectUri, state: back.state }),
  }).toString();
  return url.href;
}

export type Redeemed =
  | { kind: 'granted'; guild: { id: string; name: string | undefined } }
  | { kind: 'refused'; code: string }
  | { kind: 'away' };

const exchangeMs = 10_000;

/**
 * Exchanges the code that Discord gave the browser. Only the answer says which server the bot was invited to: the
 * `guild_id` beside the code is a hint that the browser could have changed. What else the grant holds is not kept.
 *
 * @see https://discord.com/developers/docs/topics/oauth2#advanced-bot-authorization
 */
export async function redeemCode(
  app: { applicationId: string; clientSecret: string; apiUrl: string | undefined },
  code: string,
  redirectUri: string,
): Promise<Redeemed> {
  const base = (app.apiUrl ?? 'https://discord.com/api').replace(/\/+$/, '');
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
    ...{ client_id: app.applicationId, client_secret: app.clientSecret },
  });
  const headers = { 'user-agent': 'DiscordBot (swarmgate, 0.1.0)' };
  let answer: { error?: unknown; guild?: { id?: unknown; name?: unknown } };
  try {
    const signal = AbortSignal.timeout(exchangeMs);
    // The secret of the app goes to Discord and not to wherever somebody sends it on.
    const init = { method: 'POST', headers, body, signal, redirect: 'error' } as const;
    const response = await fetch(`${base}/v10/oauth2/token`, init);
    if (response.status >= 500) return { kind: 'away' };
    answer = (await response.json()) as typeof answer;
  } catch {
    return { kind: 'away' };
  }
  const { id, name } = answer.guild ?? {};
  if (typeof id !== 'string' || !/^\d{1,20}$/.test(id))
    return {
      kind: 'refused',
      code: /^\w{1,40}$/.test(String(answer.error)) ? String(answer.error) : 'no_server',
    };
  return { kind: 'granted', guild: { id, name: typeof name === 'string' ? name : undefined } };
}
