import { createExpiringCache } from '#kernel/expiring-cache.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { Pacer } from '../../pacer.ts';
import { type DiscordApp, forGuild } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { codeOf, codes } from '../outbound/api-failures.ts';
import { createKnownMembers } from './known-members.ts';

export interface Membership {
  /** Whether Discord has the person among a server's members now. @throws {GatewayError} when it does not tell */
  isMember(app: DiscordApp, guild: string, user: string, signal: AbortSignal): Promise<boolean>;
  /** Those of the servers that the person is in; `isComplete` false: of some, Discord did not tell in time. */
  among(app: DiscordApp, guilds: readonly string[], user: string, signal: AbortSignal): Promise<Shared>;
  /** The server's name, or its id where Discord does not tell. */
  nameOf(app: DiscordApp, guild: string, signal: AbortSignal): Promise<string>;
}

export type Shared = { guilds: string[]; isComplete: boolean };

const notThere: ReadonlySet<string> = new Set([
  ...[codes.unknownMember, codes.unknownUser, codes.unknownGuild, codes.missingAccess],
]);
const nameMs = 10 * 60_000;
const namesMax = 20_000;
/** So few that one person's wait for their turns is never so long that the pacer would refuse them. */
const atOnce = 4;
/** A bot has fifty calls a second for everything; people who look for their server get less than half of them. */
const lookPace = { intervalMs: 50, burst: 20 };
/** One person gets a part of that, so that a few do not keep everybody else from a menu. */
const personPace = { intervalMs: 150, burst: 20 };

export type MembershipParts = { api: DiscordApi; pacer: Pacer; nowMs: () => number };

/** Who is in which server, by Discord's word (https://discord.com/developers/docs/resources/guild#get-guild-member). */
export function createMembership({ api, pacer, nowMs }: MembershipParts): Membership {
  const known = createKnownMembers(nowMs);
  const names = createExpiringCache<string>(nameMs, namesMax);

  const ask = async (app: DiscordApp, guild: string, user: string, signal: AbortSignal) => {
    try {
      const call = { method: 'GET', route: `/guilds/${guild}/members/${user}` } as const;
      await api.call(forGuild(app, guild), call, signal);
      return true;
    } catch (error) {
      if (notThere.has(codeOf(error) ?? '')) return false;
      throw error;
    }
  };
  const isMember: Membership['isMember'] = async (app, guild, user, signal) =>
    known.note(app, guild, user, await ask(app, guild, user, signal));

  const lookUp = async (app: DiscordApp, guild: string, user: string, signal: AbortSignal) => {
    const isThere = known.find(app, guild, user);
    if (isThere !== undefined) return isThere;
    const key = `discord/${app.applicationId}/members`;
    await pacer.take(`${key}/${user}`, personPace.intervalMs, signal, 1, personPace.burst);
    await pacer.take(key, lookPace.intervalMs, signal, 1, lookPace.burst);
    return isMember(app, guild, user, signal);
  };

  return {
    isMember,
    async among(app, guilds, user, signal) {
      const waiting = [...guilds];
      const shared = new Set<string>();
      let isComplete = true;
      const look = async () => {
        for (let guild = waiting.shift(); guild !== undefined; guild = waiting.shift()) {
          const isThere = await lookUp(app, guild, user, signal).catch((error: unknown) => {
            // There is no room for more: whoever is waiting too has it sooner when this one stops.
            if (error instanceof GatewayError && error.code === 'gateway_not_now') waiting.length = 0;
            return unlessForGood(error);
          });
          if (isThere) shared.add(guild);
          if (isThere === undefined) isComplete = false;
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, guilds.length) }, look));
      return { guilds: guilds.filter((guild) => shared.has(guild)), isComplete };
    },
    nameOf: (app, guild, signal) =>
      names(`${credentialKey(app)}/${guild}`, async () => {
        const call = { method: 'GET', route: `/guilds/${guild}` } as const;
        const { name } = await api.call<{ name?: string }>(forGuild(app, guild), call, signal);
        return name ?? guild;
      }).catch(() => guild),
  };
}

/** A server that Discord will never tell about hides none of the others; `undefined`: it may tell another time. */
function unlessForGood(error: unknown): false | undefined {
  if (error instanceof GatewayError) return error.retry === 'never' ? false : undefined;
  throw error;
}
