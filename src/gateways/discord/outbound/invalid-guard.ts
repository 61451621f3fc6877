import { createHash } from 'node:crypto';
import { GatewayError } from '../../gateway-error.ts';
import type { PaceBudget } from '../../journey.ts';
import type { DiscordApp } from '../channel.ts';
import { createRefusalPlaces, type RefusalShare } from './refusal-places.ts';

/**
 * Discord bans an address that gets 10,000 refusals (401, 403, 429) within ten minutes, with all the bots behind it. So a
 * token that was refused is not used again for a while, and each call takes room for a refusal before it is made: from
 * the small share of the tenant or server that it is made for, from its bot's, from that of all own bots of a tenant, and from that of all of them together, over
 * all processes. Whoever has used up the own share waits; nobody else does.
 *
 * @see https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
 */
export interface InvalidGuard {
  /**
   * Has to be ended, with what Discord has counted of the call. @throws {GatewayError} when the call would be refused
   * again, or there is no room for another refusal.
   */
  admit(app: DiscordApp): Promise<Admission>;
}

export type Admission = { end(refusal: Refusal | undefined): void };
export type Refusal = { status: number; byInteraction: boolean };

const refusedMs = 10 * 60_000;
/** For one tenant or server of the shared bot. */
const shareRefusalsMax = 50;
/** For direct messages of people who have not chosen a server, and for what is done for nobody, such as opening a socket. */
const nobodysRefusalsMax = 200;
const sharedBotRefusalsMax = 2_000;
const ownBotRefusalsMax = 200;
/** All own bots of a tenant together: it may have as many as it likes. */
const tenantRefusalsMax = 400;
const allRefusalsMax = 4_000;
/** The room may be taken by calls that are under way and will not be refused, so it is asked for again soon. */
const closedMsMax = 5_000;
/** What waits comes back one after the other, and not for ever later. */
const retryMsMax = 60_000;
const keysMax = 20_000;

export function createInvalidGuard(budget: PaceBudget, nowMs: () => number = Date.now): InvalidGuard {
  const places = createRefusalPlaces(budget, nowMs);
  const refusedUntil = new Map<string, number>();
  const closed = new Map<string, { untilMs: number; retryAfterMs: number }>();

  const remember = <Value>(map: Map<string, Value>, key: string, value: Value) => {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > keysMax && oldest !== undefined) map.delete(oldest);
  };

  async function take(share: RefusalShare): Promise<void> {
    const known = closed.get(share.key);
    if (known && known.untilMs > nowMs()) throw noRoom(share, known.retryAfterMs);
    const taken = await places.take(share);
    if (taken.granted) return;
    const retryAfterMs = Math.min(taken.waitMs, retryMsMax);
    remember(closed, share.key, { untilMs: nowMs() + Math.min(taken.waitMs, closedMsMax), retryAfterMs });
    throw noRoom(share, retryAfterMs);
  }

  return {
    async admit(app) {
      const { botToken } = app;
      if (botToken !== undefined && (refusedUntil.get(hashOf(botToken)) ?? 0) > nowMs())
        throw refusedToken(app);
      const taken: RefusalShare[] = [];
      try {
        for (const share of sharesOf(app)) {
          await take(share);
          taken.push(share);
        }
      } catch (error) {
        taken.forEach(places.free);
        throw error;
      }
      return {
        end(refusal) {
          if (!refusal) taken.forEach(places.free);
          if (refusal?.status === 401 && !refusal.byInteraction && botToken !== undefined)
            remember(refusedUntil, hashOf(botToken), nowMs() + refusedMs);
        },
      };
    },
  };
}

const ownBotsOf = 'own/';

/** The narrowest first, so that who has used up the own one takes nothing of the others'. */
function sharesOf({ applicationId, account, onBehalfOf }: DiscordApp): RefusalShare[] {
  const all = { key: '', refusalsMax: allRefusalsMax };
  // Anybody may write any application's id into a file: each tenant's own app is counted for itself.
  if (account !== '')
    return [
      { key: `${applicationId}/own/${onBehalfOf ?? ''}`, refusalsMax: ownBotRefusalsMax },
      ...(onBehalfOf === undefined
        ? []
        : [{ key: `${ownBotsOf}${onBehalfOf}`, refusalsMax: tenantRefusalsMax }]),
      all,
    ];
  return [
    {
      key: `${applicationId}/${onBehalfOf ?? ''}`,
      refusalsMax: (onBehalfOf ?? 'direct') === 'direct' ? nobodysRefusalsMax : shareRefusalsMax,
    },
    { key: applicationId, refusalsMax: sharedBotRefusalsMax },
    all,
  ];
}

function noRoom({ key }: RefusalShare, retryAfterMs: number): GatewayError {
  const whose = whoseOf(key);
  return new GatewayError(
    'not_now',
    `Discord has refused so many calls ${whose} within ten minutes that no more are made for now. Look at which channels the bot may not write in.`,
    { retryAfterMs },
  );
}

function whoseOf(key: string): string {
  if (key === '') return 'of all bots here';
  if (key.startsWith(ownBotsOf)) return 'of all bots of this tenant';
  return key.includes('/') ? 'made for this channel' : 'of the bot';
}

/** What a refused token means: an own bot's channel is paused; of the shared one only the operator can mend it. */
export function refusedToken(app: DiscordApp): GatewayError {
  if (app.account === '')
    return new GatewayError(
      'not_now',
      'Discord refuses the bot token of the shared app (DISCORD_BOT_TOKEN).',
      {
        retryAfterMs: 60_000,
        platformCode: '401',
      },
    );
  return new GatewayError('credentials_refused', 'Discord refuses the bot token.', {
    platformCode: '401',
    channelFault: `Discord refuses the bot token of the application ${app.applicationId}: it was reset, or belongs to another one. Copy the token from https://discord.com/developers/applications/${app.applicationId}/bot and apply the file with it.`,
  });
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
