import type { Logger } from '#kernel/logger.ts';
import type { DirectCandidates } from '../../journey.ts';
import type { DiscordApp } from '../channel.ts';
import { type Fields, idOf, textOf } from '../inbound/payload.ts';

/** Where people have spoken to a bot, and how servers are called: for the menu of their direct messages. */
export interface Sightings {
  /** Somebody has spoken to the bot in a server. Does not wait and does not fail. */
  noteSeen(app: Pick<DiscordApp, 'account'>, user: string, guild: string): void;
  /** Takes what `GUILD_CREATE` and `GUILD_UPDATE` tell. */
  noteGuild(app: Pick<DiscordApp, 'account'>, guild: Fields): void;
}

const notedMs = 60 * 60_000;
const notedMax = 50_000;
const nameLengthMax = 100;

export function createSightings(
  candidates: Pick<DirectCandidates, 'noteSeen' | 'noteName'>,
  nowMs: () => number,
  logger?: Logger,
): Sightings {
  const noted = new Map<string, number>();

  /** What is noted often is kept once an hour. */
  function once(key: string, note: () => Promise<void>): void {
    if ((noted.get(key) ?? 0) > nowMs()) return;
    noted.delete(key);
    noted.set(key, nowMs() + notedMs);
    const [oldest] = noted.keys();
    if (noted.size > notedMax && oldest !== undefined) noted.delete(oldest);
    note().catch((error: unknown) => {
      noted.delete(key);
      logger?.debug({ err: error }, 'where somebody has spoken to a bot was not noted');
    });
  }

  return {
    noteSeen: ({ account }, user, guild) =>
      once(`${account}/${guild}/${user}`, () => candidates.noteSeen(account, user, guild)),
    noteGuild({ account }, guild) {
      const [id, name] = [idOf(guild['id']), textOf(guild['name'])?.slice(0, nameLengthMax)];
      if (id !== undefined && name !== undefined)
        once(`${account}/${id} ${name}`, () => candidates.noteName(account, id, name));
    },
  };
}
