import { GatewayCloseCodes } from 'discord-api-types/v10';

/**
 * What is to be done when Discord ends a socket and would end the next one as well; `undefined`: it may be opened again.
 *
 * @see https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 */
export function faultOf(code: number, applicationId: string): string | undefined {
  const page = `https://discord.com/developers/applications/${applicationId}/bot`;
  switch (code) {
    case GatewayCloseCodes.AuthenticationFailed:
      return `Discord refuses the bot token (4004): it was reset, or belongs to another application. Copy the token from ${page} and apply the file with it.`;
    case GatewayCloseCodes.InvalidShard:
    case GatewayCloseCodes.ShardingRequired:
      return `Discord wants the servers of this bot shared out in another way (${code}): stop the other programs that run this bot; the number of shards is asked for again in a minute.`;
    case GatewayCloseCodes.InvalidAPIVersion:
      return 'Discord does not speak this version of its gateway any more (4012): update Swarmgate.';
    case GatewayCloseCodes.InvalidIntents:
      return 'Discord does not know one of the intents that were asked for (4013): update Swarmgate.';
    case GatewayCloseCodes.DisallowedIntents:
      return `Discord does not let this bot read messages (4014): turn on "Message Content Intent" under Privileged Gateway Intents at ${page}, or set messageContent: false for this channel, so that it reads only what mentions it. The socket is tried again by itself.`;
    default:
      return undefined;
  }
}

/** The servers have to be shared out over another number of shards. */
export const wrongCount: ReadonlySet<number> = new Set([
  ...[GatewayCloseCodes.InvalidShard, GatewayCloseCodes.ShardingRequired],
]);

/** After these Discord has no such session any more; after the others it may be resumed. */
const sessionEnds: ReadonlySet<number> = new Set([
  ...[1_000, GatewayCloseCodes.NotAuthenticated, GatewayCloseCodes.AlreadyAuthenticated],
  ...[GatewayCloseCodes.InvalidSeq, GatewayCloseCodes.RateLimited, GatewayCloseCodes.SessionTimedOut],
]);

export function endsSession(code: number): boolean {
  return sessionEnds.has(code);
}
