import { createExpiringCache } from '#kernel/expiring-cache.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { DiscordApp } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';

/** Which application a token belongs to does not change. */
const knownMs = 24 * 60 * 60_000;
const knownMax = 20_000;

/**
 * Asks once which application a token belongs to: with another one's, a channel would answer in the name of a bot that
 * nobody meant. `ask` calls `GET /applications/@me` with the token.
 */
export function createTokenCheck(ask: (app: DiscordApp) => Promise<string | undefined>, nowMs: () => number) {
  const owners = createExpiringCache<string | undefined>(knownMs, knownMax, nowMs);

  /** @throws {GatewayError} when it is another application's, or Discord does not tell */
  return async (app: DiscordApp): Promise<void> => {
    const owner = await owners(credentialKey(app), () => ask(app));
    if (owner !== undefined && owner !== app.applicationId) throw foreignToken(app, owner);
  };
}

/** Of an own app the channel is paused; of the shared one only the operator can mend it. */
function foreignToken(app: DiscordApp, owner: string): GatewayError {
  const fault = foreignTokenFault(app, owner);
  if (app.account === '') return new GatewayError('not_now', fault, { retryAfterMs: 60_000 });
  return new GatewayError('credentials_refused', 'The bot token is another application’s.', {
    channelFault: fault,
  });
}

/** What is wrong with a token that belongs to another application than was configured, and what to do. */
export function foreignTokenFault(
  { applicationId, account }: Pick<DiscordApp, 'applicationId' | 'account'>,
  owner: string,
): string {
  const page = `https://discord.com/developers/applications/${applicationId}/bot`;
  return account === ''
    ? `Discord says that DISCORD_BOT_TOKEN belongs to the application ${owner}, and DISCORD_APPLICATION_ID is ${applicationId}. Copy the token from ${page}, or set the id and DISCORD_PUBLIC_KEY of the other application, and start again.`
    : `Discord says that the bot token belongs to the application ${owner}, and this channel has applicationId ${applicationId}. Copy the token from ${page}, or set applicationId and publicKey of the other application, and apply the file.`;
}
