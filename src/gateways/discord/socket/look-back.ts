import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { DirectChoices } from '../../journey.ts';
import { type Fields, idOf } from '../inbound/payload.ts';
import type { DiscordApi } from '../outbound/api.ts';
import { type BackfillReport, backfillDirects, backfillGuild } from './backfill.ts';
import type { Hearer, ReceiveEvent } from './receive-event.ts';
import type { SessionState } from './session-state.ts';

export type LookBackParts = {
  api: DiscordApi;
  receive: ReceiveEvent;
  choices: Pick<DirectChoices, 'list'>;
  logger: Logger;
  metrics: Pick<Metrics, 'platformEvent'>;
};

/**
 * Looks up what was said while a session was lost: in a server when Discord tells of it (GUILD_CREATE), in direct messages
 * when the session of the first shard begins (READY). Called for each event of a session with its gap; rejects where it has
 * to be tried again.
 */
export function createLookBack(parts: LookBackParts, { name, shard }: { name: string; shard: number }) {
  /** Begun and not ended yet. */
  const under = new Set<string>();

  /** What a lost session has cost for good is said once a server. */
  function report(what: string, { unreadable, cut }: BackfillReport): void {
    if (unreadable + cut === 0) return;
    parts.logger.warn(
      { reason: `${name}, ${what}`, count: unreadable + cut },
      'what was said while a Discord session was lost could not be read in some channels, or was too much: give the bot Read Message History there',
    );
    if (unreadable > 0) parts.metrics.platformEvent('discord', 'backfill', 'unreadable');
    if (cut > 0) parts.metrics.platformEvent('discord', 'backfill', 'cut');
  }

  return async (
    hearer: Hearer,
    event: { name: string; data: Fields },
    gap: SessionState['gap'],
  ): Promise<void> => {
    const isOfDirects = event.name === 'READY' && shard === 0;
    if (event.name !== 'GUILD_CREATE' && !isOfDirects) return;
    const what = isOfDirects ? 'direct messages' : `server ${idOf(event.data['id'])}`;
    if (!gap || Date.now() > gap.untilMs) {
      // It was tried until now, and what is left is not looked up any more.
      if (under.delete(what)) report(what, { unreadable: 0, cut: 1 });
      return;
    }
    under.add(what);
    const receive = (message: Fields) =>
      parts.receive(hearer, {
        name: 'MESSAGE_CREATE',
        data: message,
        eventId: `backfill/${idOf(message['id'])}`,
      });
    const backfilling = { api: parts.api, choices: parts.choices, receive };
    const { app, botUser } = hearer;
    const { sinceMs } = gap;
    const found = isOfDirects
      ? await backfillDirects(backfilling, app, sinceMs)
      : await backfillGuild(backfilling, app, event.data, { sinceMs, botUser });
    under.delete(what);
    report(what, found);
  };
}
