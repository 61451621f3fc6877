import type { ReachedPlace } from '../gateway.ts';

/**
 * How places and messages of Teams are written down. A channel row of ours stands for one Entra tenant, so that is left
 * out except in keys of messages, which hold everything that identifies one.
 */

export type TeamsScope = 'personal' | 'groupChat' | 'channel';

/**
 * Where a conversation takes place: with one person (`@29:…`: the chat itself may have to be made first), or in a group
 * chat, a channel or a thread of it, by Teams' own id (`19:…@thread.tacv2;messageid=1767224924615`).
 */
export type TeamsPlace = { kind: 'person'; user: string } | { kind: 'conversation'; id: string };

export function writePlace(place: TeamsPlace): string {
  return place.kind === 'person' ? `@${place.user}` : place.id;
}

export function readPlace(text: string): TeamsPlace {
  return text.startsWith('@') ? { kind: 'person', user: text.slice(1) } : { kind: 'conversation', id: text };
}

/** `@29:…`, a person; `19:…`, a group chat, a channel or a thread of it. `undefined` for anything else. */
export function readAddress(address: string): ReachedPlace | undefined {
  if (!/^(?:@29:|19:)[^\s\p{Cc}]{1,500}$/u.test(address)) return undefined;
  return { conversationExternalId: address, participantExternalId: address.replace(/^@/, '') };
}

/** A conversation without the thread: messages are numbered in it, and it is reached in one way. */
export function baseOf(conversationId: string): string {
  return conversationId.split(';', 1)[0] ?? '';
}

/** The first message of the thread that a conversation id names. */
export function threadOf(conversationId: string): string | undefined {
  return /;messageid=(\d{1,20})$/.exec(conversationId)?.[1];
}

/** What a place is known by among the references: threads of one channel are reached alike. */
export function referenceKeyOf(place: string): string {
  return place.startsWith('@') ? place : baseOf(place);
}

export type TeamsMessageId = { conversationId: string; id: string };

/** `19:…@thread.tacv2/1767224924615`, as parts of deliveries are recorded. An id of a message has no slash. */
export function writeMessageId({ conversationId, id }: TeamsMessageId): string {
  return `${baseOf(conversationId)}/${id}`;
}

export function readMessageId(text: string): TeamsMessageId {
  const slash = text.lastIndexOf('/');
  return { conversationId: text.slice(0, slash), id: text.slice(slash + 1) };
}

/**
 * The key that a message is received under. Teams sends an activity again when its answer was late, with the same id;
 * ids are numbered within a conversation, so tenant and conversation belong to it.
 */
export function messageKey(tenant: string, id: TeamsMessageId): string {
  return `message/${tenant}/${writeMessageId(id)}`;
}
