import { GatewayError } from '../../gateway-error.ts';
import type { DirectChoices } from '../../journey.ts';
import { choicesOf, type DiscordApp, forDirect, forGuild } from '../channel.ts';
import { type Fields, fieldsOf, idOf, rowsOf } from '../inbound/payload.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { snowflakeAt } from '../places.ts';
import { sightOf } from './may-read.ts';

export type BackfillParts = {
  api: DiscordApi;
  choices: Pick<DirectChoices, 'list'>;
  /** Takes a message as if the socket had brought it. */
  receive: (message: Fields) => Promise<void>;
};

/** What may have been missed for good, in channels. */
export type BackfillReport = {
  /** The bot hears there, and may not read what was said before. */
  unreadable: number;
  /** More was said, or in more of them, than is looked up. */
  cut: number;
};

/** A socket may have been dead for so long before it was noticed; what was kept already is known again. */
const skewMs = 150_000;
const pageSize = 100;
const pagesMax = 10;
const channelsMax = 200;
const directsMax = 200;
const callMs = 10_000;

/** Where the last message of a channel was said after a time: `GUILD_CREATE` tells of each. */
function channelsWithNews(guild: Fields, sinceMs: number): Fields[] {
  const since = BigInt(snowflakeAt(sinceMs - skewMs));
  return [...rowsOf(guild['channels']), ...rowsOf(guild['threads'])].filter((channel) => {
    const [id, last] = [idOf(channel['id']), idOf(channel['last_message_id'])];
    return id !== undefined && last !== undefined && BigInt(last) > since;
  });
}

/** Reads what was said in a server while no session was there to tell of it, oldest first. */
export async function backfillGuild(
  parts: BackfillParts,
  app: DiscordApp,
  guild: Fields,
  { sinceMs, botUser }: { sinceMs: number; botUser: string },
): Promise<BackfillReport> {
  const guildId = idOf(guild['id']);
  const bot = { user: botUser, applicationId: app.applicationId };
  const seen = channelsWithNews(guild, sinceMs)
    .map((channel) => ({ id: idOf(channel['id']) ?? '', sight: sightOf(guild, channel, bot) }))
    // Where the bot sees nothing, it could not have heard either.
    .filter(({ sight }) => sight !== 'unseen');
  const readable = seen.filter(({ sight }) => sight === 'all');
  const looked = readable.slice(0, channelsMax);
  const report = { unreadable: seen.length - readable.length, cut: readable.length - looked.length };
  for (const { id } of looked) add(report, await backfill(parts, app, id, guildId, sinceMs - skewMs));
  return report;
}

/** The same for the direct messages of those who wrote lately: no event tells of their channels. */
export async function backfillDirects(
  parts: BackfillParts,
  app: DiscordApp,
  sinceMs: number,
): Promise<BackfillReport> {
  const chosen = await parts.choices.list(choicesOf(app), directsMax + 1);
  const looked = chosen.slice(0, directsMax);
  const report = { unreadable: 0, cut: chosen.length - looked.length };
  // What was written before the person had said whom it is for is nobody's.
  for (const { direct, chosenAtMs } of looked)
    add(report, await backfill(parts, app, direct, undefined, Math.max(sinceMs - skewMs, chosenAtMs)));
  return report;
}

type Ended = 'whole' | 'unreadable' | 'cut';

function add(report: BackfillReport, ended: Ended): void {
  if (ended !== 'whole') report[ended] += 1;
}

async function backfill(
  { api, receive }: BackfillParts,
  app: DiscordApp,
  channel: string,
  guildId: string | undefined,
  sinceMs: number,
): Promise<Ended> {
  const caller = guildId === undefined ? forDirect(app) : forGuild(app, guildId);
  let after = snowflakeAt(sinceMs);
  for (let page = 1; page <= pagesMax; page++) {
    const query = { after, limit: String(pageSize) };
    let messages: readonly Fields[];
    try {
      const call = { method: 'GET', route: `/channels/${channel}/messages`, query } as const;
      messages = rowsOf(await api.call(caller, call, AbortSignal.timeout(callMs))).toReversed();
    } catch (error) {
      if (error instanceof GatewayError && error.retry === 'never') return 'unreadable';
      throw error;
    }
    // By REST a message does not say in which server it stands.
    for (const message of messages) await receive({ ...message, ...(guildId && { guild_id: guildId }) });
    const last = idOf(fieldsOf(messages.at(-1))['id']);
    if (messages.length < pageSize || last === undefined) return 'whole';
    after = last;
  }
  return 'cut';
}
