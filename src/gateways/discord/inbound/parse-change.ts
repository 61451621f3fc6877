import type { InboundEvent, MessageReference } from '../../gateway.ts';
import { messageKey, writeMessageId } from '../places.ts';
import { readText } from './inbound-text.ts';
import { isFromBot } from './parse-message.ts';
import { type Fields, fieldsOf, idOf, textOf } from './payload.ts';

/** A `MESSAGE_UPDATE`. Previews of links that were added later come so too, and are no edits. */
export function parseEdit(data: Fields, botIds: ReadonlySet<string>): InboundEvent {
  if (isFromBot(data)) return { kind: 'unsupported', reason: 'edit by a bot' };
  const at = textOf(data['edited_timestamp']);
  const target = targetOf(data['channel_id'], data['id']);
  if (at === undefined || target === undefined || typeof data['content'] !== 'string')
    return { kind: 'unsupported', reason: 'update that is no edit' };
  return {
    kind: 'edit',
    key: `edit/${target.externalId}/${at}`,
    target,
    participantExternalId: idOf(fieldsOf(data['author'])['id']) ?? '',
    text: readText(data, botIds),
  };
}

/** A `MESSAGE_DELETE` or `MESSAGE_DELETE_BULK`, which do not tell who deleted. */
export function parseDeletion(data: Fields): InboundEvent[] {
  const ids = Array.isArray(data['ids']) ? (data['ids'] as unknown[]) : [data['id']];
  return ids.flatMap((id): InboundEvent[] => {
    const target = targetOf(data['channel_id'], id);
    if (!target) return [];
    return [{ kind: 'delete', key: `delete/${target.externalId}`, target, participantExternalId: '' }];
  });
}

/** `MESSAGE_REACTION_ADD` and `…_REMOVE`. They have no time of their own: the event itself tells one from the next. */
export function parseReaction(
  data: Fields,
  added: boolean,
  { eventId, botUser }: { eventId: string; botUser: string },
): InboundEvent {
  const target = targetOf(data['channel_id'], data['message_id']);
  const user = idOf(data['user_id']);
  const { name, id } = fieldsOf(data['emoji']);
  if (!target || user === undefined || user === botUser)
    return { kind: 'unsupported', reason: 'reaction without its message or by the bot itself' };
  return {
    kind: 'reaction',
    key: `reaction/${target.externalId}/${user}/${eventId}`,
    target,
    participantExternalId: user,
    name: textOf(name) ?? idOf(id) ?? 'unknown',
    added,
  };
}

function targetOf(channelId: unknown, messageId: unknown): MessageReference | undefined {
  const [channel, id] = [idOf(channelId), idOf(messageId)];
  if (channel === undefined || id === undefined) return undefined;
  return { key: messageKey(id), externalId: writeMessageId({ channel, id }) };
}
