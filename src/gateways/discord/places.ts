import type { ReachedPlace } from '../gateway.ts';

/**
 * How places and messages are written down. A channel row of ours stands for one server, so the server is left out; ids
 * of Discord's (snowflakes) are unique over everything.
 */

/**
 * Where a conversation takes place: in the direct messages with a person, in a thread or forum post, in a channel outside
 * its threads, or what one person asks by command in such a channel.
 */
export type DiscordPlace =
  | { kind: 'direct'; user: string }
  | { kind: 'thread'; channel: string }
  | { kind: 'channel'; channel: string }
  | { kind: 'command'; channel: string; user: string };

/** `@7`, `42`, `#42`, `#42/7`. */
export function writePlace(place: DiscordPlace): string {
  switch (place.kind) {
    case 'direct':
      return `@${place.user}`;
    case 'thread':
      return place.channel;
    case 'channel':
      return `#${place.channel}`;
    case 'command':
      return `#${place.channel}/${place.user}`;
  }
}

export function readPlace(text: string): DiscordPlace {
  if (text.startsWith('@')) return { kind: 'direct', user: text.slice(1) };
  if (!text.startsWith('#')) return { kind: 'thread', channel: text };
  const [channel = '', user] = text.slice(1).split('/');
  return user === undefined ? { kind: 'channel', channel } : { kind: 'command', channel, user };
}

/** `@7`, a person; `#42`, a channel; `42`, a thread or forum post. `undefined` for anything else. */
export function readAddress(address: string): ReachedPlace | undefined {
  const [, sign, id] = /^([@#]?)(\d{1,20})$/.exec(address) ?? [];
  if (sign === undefined || id === undefined) return undefined;
  return { conversationExternalId: address, participantExternalId: id };
}

export type DiscordMessageId = { channel: string; id: string };

/** `42/43`, as parts of deliveries are recorded. */
export function writeMessageId({ channel, id }: DiscordMessageId): string {
  return `${channel}/${id}`;
}

export function readMessageId(text: string): DiscordMessageId {
  const [channel = '', id = ''] = text.split('/');
  return { channel, id };
}

/** The key that a message is received under, whichever way and however often Discord tells of it. */
export function messageKey(id: string): string {
  return `message/${id}`;
}

const epochMs = 1_420_070_400_000;

/** The smallest id that something made at that time can have. @see https://discord.com/developers/docs/reference#snowflakes */
export function snowflakeAt(timeMs: number): string {
  return String(BigInt(Math.max(0, Math.floor(timeMs) - epochMs)) << 22n);
}

/** When something was made, by Discord's clock; `undefined` when the text is no id of Discord's. */
export function madeAtMs(id: string | undefined): number | undefined {
  return id !== undefined && /^\d{1,20}$/.test(id) ? Number(BigInt(id) >> 22n) + epochMs : undefined;
}
