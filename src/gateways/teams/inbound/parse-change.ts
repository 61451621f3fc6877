import { createHash } from 'node:crypto';
import type { InboundEvent, MessageReference } from '../../gateway.ts';
import { messageKey, type TeamsMessageId, writeMessageId } from '../places.ts';
import { textOfActivity } from './inbound-text.ts';
import { type Context, isFromBot } from './parse-context.ts';

/** `messageUpdate`: somebody has written it anew, or taken a deletion back. */
export function parseEdit(context: Context): InboundEvent {
  const { activity, tenant, user } = context;
  const { id, channelData, timestamp } = activity;
  if (id === undefined) return { kind: 'unsupported', reason: 'messageUpdate without an id' };
  if (isFromBot(activity)) return { kind: 'unsupported', reason: 'edited by a bot' };
  // What was deleted has lost its text here, and with it what could be taken back.
  if (channelData?.eventType === 'undeleteMessage')
    return { kind: 'unsupported', reason: 'messageUpdate/undeleteMessage' };
  const text = textOfActivity(activity);
  const target = idOf(context, id);
  const at = timestamp ?? createHash('sha256').update(text).digest('base64url');
  return {
    kind: 'edit',
    key: `edit/${tenant}/${writeMessageId(target)}/${at}`,
    target: referenceTo(tenant, target),
    participantExternalId: user,
    text,
  };
}

export function parseDeletion(context: Context): InboundEvent {
  const { activity, tenant, user } = context;
  if (activity.id === undefined) return { kind: 'unsupported', reason: 'messageDelete without an id' };
  const target = idOf(context, activity.id);
  return {
    kind: 'delete',
    // A message is deleted once, however often Teams tells it.
    key: `delete/${tenant}/${writeMessageId(target)}`,
    target: referenceTo(tenant, target),
    participantExternalId: user,
  };
}

/** `messageReaction`: given and taken back, several at once. Which message they are to stands in `replyToId`. */
export function parseReactions(context: Context): InboundEvent[] {
  const { activity, tenant, user } = context;
  const { replyToId, id, timestamp, reactionsAdded = [], reactionsRemoved = [] } = activity;
  const at = timestamp ?? id;
  if (replyToId === undefined || at === undefined)
    return [{ kind: 'unsupported', reason: 'messageReaction without its message' }];
  if (isFromBot(activity)) return [{ kind: 'unsupported', reason: 'reaction of a bot' }];
  const target = idOf(context, replyToId);
  const event = (name: string, added: boolean): InboundEvent => ({
    kind: 'reaction',
    key: `reaction/${tenant}/${writeMessageId(target)}/${user}/${added ? 'added' : 'removed'}/${name}/${at}`,
    target: referenceTo(tenant, target),
    participantExternalId: user,
    name,
    added,
  });
  return [
    ...reactionsRemoved.map(({ type }) => event(type, false)),
    ...reactionsAdded.map(({ type }) => event(type, true)),
  ];
}

function idOf({ conversationId }: Context, id: string): TeamsMessageId {
  return { conversationId, id };
}

function referenceTo(tenant: string, id: TeamsMessageId): MessageReference {
  return { key: messageKey(tenant, id), externalId: writeMessageId(id) };
}
