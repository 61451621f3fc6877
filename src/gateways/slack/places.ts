import type { ReachedPlace } from '../gateway.ts';

/**
 * How places and messages of a workspace are written down. A channel row of ours stands for one workspace, so the
 * workspace itself is left out except in keys of messages, which hold everything that identifies one.
 */

/** Where a conversation takes place: with one person, in a thread, or in a channel outside its threads. */
export type SlackPlace =
  | { kind: 'direct'; user: string }
  | { kind: 'thread'; channel: string; threadTs: string }
  | { kind: 'channel'; channel: string };

/** `@U1`, `C1/1767224888.280449`, `C1`. */
export function writePlace(place: SlackPlace): string {
  switch (place.kind) {
    case 'direct':
      return `@${place.user}`;
    case 'thread':
      return `${place.channel}/${place.threadTs}`;
    case 'channel':
      return place.channel;
  }
}

export function readPlace(text: string): SlackPlace {
  if (text.startsWith('@')) return { kind: 'direct', user: text.slice(1) };
  const [channel = '', threadTs] = text.split('/');
  return threadTs === undefined ? { kind: 'channel', channel } : { kind: 'thread', channel, threadTs };
}

/** `@U1`, a person; `C1`, a channel; `C1/1767224888.280449`, a thread of it. `undefined` for anything else. */
export function readAddress(address: string): ReachedPlace | undefined {
  const person = /^@([UW][A-Z0-9]{1,30})$/.exec(address)?.[1];
  if (person !== undefined) return { conversationExternalId: address, participantExternalId: person };
  const channel = /^([CG][A-Z0-9]{1,30})(?:\/\d{1,12}\.\d{1,12})?$/.exec(address)?.[1];
  return channel === undefined
    ? undefined
    : { conversationExternalId: address, participantExternalId: channel };
}

/** A message in a channel; the time stamp is its id there. Direct messages stand in a channel of their own (`D…`). */
export type SlackMessageId = { channel: string; ts: string };

/** `C1/1767224888.280449`, as parts of deliveries are recorded. */
export function writeMessageId({ channel, ts }: SlackMessageId): string {
  return `${channel}/${ts}`;
}

export function readMessageId(text: string): SlackMessageId {
  const [channel = '', ts = ''] = text.split('/');
  return { channel, ts };
}

/**
 * The key that a message is received under. Slack may tell of one message several times, under other event ids and as
 * `message` and `app_mention`; team, channel and time stamp are the same each time, and in no other workspace.
 */
export function messageKey(team: string, { channel, ts }: SlackMessageId): string {
  return `message/${team}/${channel}/${ts}`;
}
