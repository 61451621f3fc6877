import type { DiscordReplyPolicy } from '@swarmgate/contract/channels/discord.ts';
import type { InboundAttachment, InboundEvent, InboundMessage } from '../../gateway.ts';
import { type DiscordPlace, messageKey, writePlace } from '../places.ts';
import { isAddressed, readText } from './inbound-text.ts';
import { type Fields, fieldsOf, idOf, kindOf, rowsOf, textOf } from './payload.ts';

/** What is known about a message before it is read. */
export type MessageContext = {
  bot: { user: string; roles: readonly string[] };
  /** Whether it stands in a thread. */
  isThread: boolean;
  replies: DiscordReplyPolicy;
  forumPosts: 'mentions' | 'all';
};

/** Messages that people write: the usual ones, and replies. @see https://discord.com/developers/docs/resources/message#message-object-message-types */
const writtenTypes: ReadonlySet<unknown> = new Set([0, 19]);

/** A `MESSAGE_CREATE`. */
export function parseMessage(data: Fields, context: MessageContext): InboundEvent {
  if (!writtenTypes.has(data['type'] ?? 0))
    return { kind: 'unsupported', reason: `message/type ${kindOf(data['type'])}` };
  // Of bots nothing is answered: two of them would never stop.
  if (isFromBot(data)) return { kind: 'unsupported', reason: 'from a bot' };
  const id = idOf(data['id']);
  const channel = idOf(data['channel_id']);
  const user = idOf(fieldsOf(data['author'])['id']);
  if (id === undefined || channel === undefined || user === undefined)
    return { kind: 'unsupported', reason: 'message without author, channel or id' };

  const hearing = hear(data, { id, channel, user }, context);
  if (hearing.kind === 'unsupported') return hearing;
  const text = textWithForwarded(data, context);
  const attachments = attachmentsOf(data, channel, id);
  if (text === '' && attachments.length === 0)
    return { kind: 'unsupported', reason: 'message without content (is the Message Content Intent on?)' };
  const guild = idOf(data['guild_id']);
  return {
    kind: 'message',
    key: messageKey(id),
    conversationExternalId: writePlace(hearing.place),
    participant: participantOf(user, data),
    text,
    content: { discord: { ...(guild && { guild }), channel, id, user } },
    ...hearing.with,
    ...(attachments.length > 0 && { attachments }),
  };
}

type Hearing =
  | { kind: 'heard'; place: DiscordPlace; with?: Pick<InboundMessage, 'needsAnswer' | 'onlyIfKnown'> }
  | { kind: 'unsupported'; reason: string };

/** Where a message is answered, and whether. The rule stands at `discordReplyPolicies`. */
function hear(
  data: Fields,
  { id, channel, user }: { id: string; channel: string; user: string },
  { bot, isThread, replies, forumPosts }: MessageContext,
): Hearing {
  if (idOf(data['guild_id']) === undefined) return { kind: 'heard', place: { kind: 'direct', user } };
  // The first message of a forum's post has the id of the post, which is a thread.
  const isPost = id === channel;
  if (isAddressed(data, bot) || (isPost && forumPosts === 'all')) {
    if (isThread || isPost) return { kind: 'heard', place: { kind: 'thread', channel } };
    // A thread that is made from a message has the id of that message.
    return replies === 'in_channel'
      ? { kind: 'heard', place: { kind: 'channel', channel } }
      : { kind: 'heard', place: { kind: 'thread', channel: id } };
  }
  return {
    kind: 'heard',
    place: { kind: 'thread', channel },
    with: { onlyIfKnown: true, needsAnswer: replies !== 'mentions' },
  };
}

export function isFromBot(data: Fields): boolean {
  return fieldsOf(data['author'])['bot'] === true || idOf(data['webhook_id']) !== undefined;
}

/** Whoever is named by Discord, Discord has let in. */
function participantOf(user: string, data: Fields): InboundMessage['participant'] {
  const { nick } = fieldsOf(data['member']);
  const { global_name: shown, username } = fieldsOf(data['author']) as Record<string, unknown>;
  const name = textOf(nick) ?? textOf(shown) ?? textOf(username);
  return { externalId: user, verified: true, profile: { ...(name && { name }) } };
}

// What is forwarded has no text of its own; what it holds is somebody else's, and is quoted.
function textWithForwarded(data: Fields, { bot }: MessageContext): string {
  const own = readText(data, new Set([bot.user, ...bot.roles]));
  const [snapshot] = rowsOf(data['message_snapshots']);
  const forwarded = snapshot ? readText(fieldsOf(snapshot['message']), new Set()) : '';
  const quoted = forwarded === '' ? '' : forwarded.replaceAll(/^/gm, '> ');
  return [own, quoted].filter((text) => text !== '').join('\n\n');
}

/** `source`: `{ url, channel, message, id }`; the address is good for a day, and is asked for anew by the others. */
function attachmentsOf(data: Fields, channel: string, message: string): InboundAttachment[] {
  return rowsOf(data['attachments']).flatMap((file) => {
    const id = idOf(file['id']);
    const url = textOf(file['url']);
    if (id === undefined || url === undefined) return [];
    const sizeBytes = file['size'];
    return [
      {
        name: textOf(file['filename']) ?? id,
        contentType: textOf(file['content_type']) ?? 'application/octet-stream',
        ...(Number.isSafeInteger(sizeBytes) && { sizeBytes: sizeBytes as number }),
        source: { url, channel, message, id },
      },
    ];
  });
}
