import type { InboundEvent, OpenChannel, ParsedWebhook, RawRequest, Verified } from '../../gateway.ts';
import { installAgain } from '../../install-pause.ts';
import { settingsOf } from '../channel.ts';
import type { DiscordTexts } from '../texts.ts';
import { parseDeletion, parseEdit, parseReaction } from './parse-change.ts';
import { parseInteraction } from './parse-interaction.ts';
import { parseMessage } from './parse-message.ts';
import { kindOf, readJson } from './payload.ts';
import { readSocketEvent, type SocketEvent, socketEndpoint } from './socket-event.ts';
import type { Tickets } from './ticket.ts';

export type ParseParts = { tickets: Tickets; texts: DiscordTexts; nowMs: () => number };

/** What a request tells, by the settings of the channel that it belongs to. Nothing but reading. */
export function parseDiscord(
  { tickets, texts, nowMs }: ParseParts,
  request: Verified<RawRequest>,
  channel: OpenChannel,
): ParsedWebhook {
  if (request.endpoint === socketEndpoint) return { events: parseEvent(readSocketEvent(request), channel) };
  const fields = readJson(request.body) ?? {};
  return parseInteraction(fields, { channel, tickets, texts, nowMs: nowMs() });
}

function parseEvent(event: SocketEvent, channel: OpenChannel): InboundEvent[] {
  const { name, data, bot, eventId, isThread = false } = event;
  const { replies, forumPosts, guild, installation } = settingsOf(channel);
  switch (name) {
    case 'MESSAGE_CREATE':
      return [parseMessage(data, { bot, isThread, replies, forumPosts })];
    case 'MESSAGE_UPDATE':
      return [parseEdit(data, new Set([bot.user, ...bot.roles]))];
    case 'MESSAGE_DELETE':
    case 'MESSAGE_DELETE_BULK':
      return parseDeletion(data);
    case 'MESSAGE_REACTION_ADD':
    case 'MESSAGE_REACTION_REMOVE':
      return [parseReaction(data, name === 'MESSAGE_REACTION_ADD', { eventId, botUser: bot.user })];
    case 'GUILD_CREATE':
      return [{ kind: 'connected', after: removed }];
    case 'GUILD_DELETE':
      // An outage of Discord's takes servers away for a while; and an own app may be in others still.
      return data['unavailable'] === true || data['id'] !== (guild ?? installation?.guild)
        ? [{ kind: 'unsupported', reason: 'GUILD_DELETE/unavailable or one of many' }]
        : [{ kind: 'disconnected', reason: removed }];
    default:
      return [{ kind: 'unsupported', reason: kindOf(name) }];
  }
}

const removed = `The Discord bot was removed from the server. ${installAgain} ("swarmgate discord install-link"), and apply the file again.`;
