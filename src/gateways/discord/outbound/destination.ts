import { shorten } from '../../answer-extras.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { AnsweredMessage } from '../../journey.ts';
import type { AppFinder, DiscordApp } from '../channel.ts';
import { credentialKey } from '../credential-key.ts';
import { type Fields, fieldsOf, idOf } from '../inbound/payload.ts';
import type { Ticket, Tickets } from '../inbound/ticket.ts';
import { type DiscordPlace, readPlace } from '../places.ts';
import type { DiscordApi } from './api.ts';
import { codeOf, codes } from './api-failures.ts';

/** Where an answer goes. */
export type Destination = {
  app: DiscordApp;
  channel: string;
  /** The message that it stands below, outside threads. */
  replyTo: string | undefined;
  /** It answers an interaction, whose token is still good. */
  ticket: Ticket | undefined;
};

export type Answered = { conversationExternalId: string; turnId: string | undefined };

export interface DestinationFinder {
  /**
   * The channel of a conversation: direct messages are opened, and a thread is made where the conversation is one that
   * begins with a message. `needsThread` false: it is enough to know where that would be. @throws {GatewayError}
   */
  find(
    channel: OpenChannel,
    answered: Answered,
    signal: AbortSignal,
    needsThread?: boolean,
  ): Promise<Destination>;
}

/** The message that a turn answers. */
export type FindAnswered = (channel: OpenChannel, turnId: string) => Promise<AnsweredMessage | undefined>;

export type DestinationParts = {
  api: DiscordApi;
  apps: AppFinder;
  tickets: Tickets;
  findAnswered: FindAnswered;
  /** What a thread is called that has no words to be called by. */
  threadName: string;
  nowMs: () => number;
};

const cachedMax = 20_000;
const nameLengthMax = 90;
const archiveAfterMinutes = 1_440;
/** No thread can be made there: by the kind of the channel, or because the bot may not. */
const noThread: ReadonlySet<string> = new Set([
  ...[codes.wrongChannelType, codes.missingPermissions, codes.missingAccess, codes.unknownMessage],
  ...['50068', '50083', '160006', '160007'],
]);

export function createDestinationFinder(parts: DestinationParts): DestinationFinder {
  const { api, apps, tickets, findAnswered, threadName, nowMs } = parts;
  const directs = createMemory<string>();
  /** Threads that are there, and those that could not be made: by their id, whether. */
  const threads = createMemory<boolean>();

  async function openDirect(app: DiscordApp, user: string, signal: AbortSignal): Promise<string> {
    const key = `${credentialKey(app)}/${user}`;
    const known = directs.get(key);
    if (known !== undefined) return known;
    const body = { recipient_id: user };
    const opened = await api.call<{ id?: string }>(
      app,
      { method: 'POST', route: '/users/@me/channels', body },
      signal,
    );
    if (!opened.id) throw new GatewayError('unavailable', 'Discord opened direct messages without an id.');
    directs.set(key, opened.id);
    return opened.id;
  }

  async function makeThread(
    app: DiscordApp,
    { parent, message, name }: { parent: string; message: string; name: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = `${credentialKey(app)}/${message}`;
    const known = threads.get(key);
    if (known !== undefined) return known;
    const body = { name, auto_archive_duration: archiveAfterMinutes };
    try {
      const route = `/channels/${parent}/messages/${message}/threads` as const;
      await api.call(app, { method: 'POST', route, body }, signal);
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code !== codes.threadExists && !noThread.has(code)) throw error;
      if (code !== codes.threadExists) {
        threads.set(key, false);
        return false;
      }
    }
    threads.set(key, true);
    return true;
  }

  return {
    async find(channel, { conversationExternalId, turnId }, signal, needsThread = true) {
      const app = apps.of(channel);
      if (!app)
        throw new GatewayError('not_now', 'There is no shared Discord app (DISCORD_BOT_TOKEN).', {
          retryAfterMs: 15_000,
        });
      const place = readPlace(conversationExternalId);
      const answered = turnId === undefined ? undefined : await findAnswered(channel, turnId);
      const ticket = tickets.open(channel, answered?.content, nowMs());
      const asked = askedWhere(answered?.content);
      if (ticket)
        return { app, ticket, replyTo: undefined, channel: asked.channel ?? channelOf(place) ?? '' };
      const to = (at: string, replyTo?: string): Destination => ({
        app,
        channel: at,
        replyTo,
        ticket: undefined,
      });
      switch (place.kind) {
        case 'direct':
          return to(await openDirect(app, place.user, signal));
        case 'channel':
          return to(place.channel, asked.message);
        case 'command':
          return to(place.channel);
        case 'thread': {
          // A conversation that is called as the message that began it: its thread hangs on that message.
          const hangs = asked.message === place.channel && asked.channel !== place.channel && asked.channel;
          if (!hangs) return to(place.channel);
          const key = `${credentialKey(app)}/${place.channel}`;
          if (!needsThread && threads.get(key) === undefined) return to(hangs);
          const name = shorten(answered?.text.replaceAll(/\s+/g, ' ').trim() || threadName, nameLengthMax);
          const isThere = await makeThread(app, { parent: hangs, message: place.channel, name }, signal);
          return isThere ? to(place.channel) : to(hangs, place.channel);
        }
      }
    },
  };
}

function askedWhere(content: Fields | undefined): {
  channel: string | undefined;
  message: string | undefined;
} {
  const { channel, id } = fieldsOf(content?.['discord']);
  return { channel: idOf(channel), message: idOf(id) };
}

function channelOf(place: DiscordPlace): string | undefined {
  return place.kind === 'direct' ? undefined : place.channel;
}

function createMemory<Value>() {
  const known = new Map<string, Value>();
  return {
    get: (key: string) => known.get(key),
    set(key: string, value: Value): void {
      known.delete(key);
      known.set(key, value);
      const [oldest] = known.keys();
      if (known.size > cachedMax && oldest !== undefined) known.delete(oldest);
    },
  };
}
