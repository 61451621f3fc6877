import type { InboundEvent, MessageReference } from '../../gateway.ts';
import { messageKey, type SlackMessageId, writeMessageId } from '../places.ts';
import type { ParseContext } from './parse-context.ts';
import { type Fields, fieldsOf, idOf, kindOf, textOf, timeStampOf } from './payload-fields.ts';
import { isFromBot, messageTextOf } from './payload-message.ts';

/**
 * `message_changed`: somebody has written it anew, or Slack has added a preview of a link to it, which says nothing.
 *
 * @see https://docs.slack.dev/reference/events/message/message_changed/
 */
export function parseEdit(event: Fields, context: ParseContext): InboundEvent {
  const message = fieldsOf(event['message']);
  const before = fieldsOf(event['previous_message']);
  const id = readMessageId(event['channel'], message['ts']);
  if (!id) return malformed(event);
  // A message with replies is not taken away but replaced by a notice.
  if (message['subtype'] === 'tombstone') return deletionOf(id, before, context);
  if (isFromBot(message, context.botUserIds)) return { kind: 'unsupported', reason: 'edited by a bot' };

  const user = idOf(message['user']);
  if (user === undefined) return malformed(event);
  const editedTs = timeStampOf(fieldsOf(message['edited'])['ts']);
  const wasEditedTs = timeStampOf(fieldsOf(before['edited'])['ts']);
  if (message['text'] === before['text'] && editedTs === wasEditedTs)
    return { kind: 'unsupported', reason: 'message_changed without an edit' };

  const at = editedTs ?? timeStampOf(event['event_ts']) ?? timeStampOf(event['ts']);
  if (at === undefined) return malformed(event);
  return {
    kind: 'edit',
    key: `edit/${context.team}/${writeMessageId(id)}/${at}`,
    target: referenceTo(id, context.team),
    participantExternalId: user,
    text: messageTextOf(message, context.botUserIds),
  };
}

/** @see https://docs.slack.dev/reference/events/message/message_deleted/ */
export function parseDeletion(event: Fields, context: ParseContext): InboundEvent {
  const before = fieldsOf(event['previous_message']);
  const id = readMessageId(event['channel'], event['deleted_ts'] ?? before['ts']);
  return id ? deletionOf(id, before, context) : malformed(event);
}

/** @see https://docs.slack.dev/reference/events/reaction_added/ */
export function parseReaction(event: Fields, context: ParseContext): InboundEvent {
  const item = fieldsOf(event['item']);
  if (item['type'] !== 'message')
    return { kind: 'unsupported', reason: `${kindOf(event['type'])}/${kindOf(item['type'])}` };
  const id = readMessageId(item['channel'], item['ts']);
  const at = timeStampOf(event['event_ts']);
  const user = idOf(event['user']);
  // With its skin tone it is `+1::skin-tone-3`.
  const [name] = textOf(event['reaction'])?.split('::') ?? [];
  if (!id || at === undefined || user === undefined || !name) return malformed(event);
  if (isFromBot(event, context.botUserIds)) return { kind: 'unsupported', reason: 'reaction of a bot' };

  return {
    kind: 'reaction',
    key: `reaction/${context.team}/${writeMessageId(id)}/${user}/${kindOf(event['type'])}/${at}`,
    target: referenceTo(id, context.team),
    participantExternalId: user,
    name,
    added: event['type'] === 'reaction_added',
  };
}

/** Of our own posts, too: who looks at the conversation later shall know. */
function deletionOf(id: SlackMessageId, before: Fields, { team }: ParseContext): InboundEvent {
  return {
    kind: 'delete',
    // A message is deleted once, whichever way Slack tells it.
    key: `delete/${team}/${writeMessageId(id)}`,
    target: referenceTo(id, team),
    // Slack names the author; it does not tell who has deleted.
    participantExternalId: idOf(before['user']) ?? idOf(before['bot_id']) ?? 'unknown',
  };
}

function referenceTo(id: SlackMessageId, team: string): MessageReference {
  return { key: messageKey(team, id), externalId: writeMessageId(id) };
}

function readMessageId(channel: unknown, ts: unknown): SlackMessageId | undefined {
  const id = { channel: idOf(channel), ts: timeStampOf(ts) };
  return id.channel !== undefined && id.ts !== undefined ? { channel: id.channel, ts: id.ts } : undefined;
}

function malformed(event: Fields): InboundEvent {
  const kind = [event['type'], event['subtype']].filter((part) => part !== undefined).map(kindOf);
  return { kind: 'unsupported', reason: `${kind.join('/')} without what identifies it` };
}
