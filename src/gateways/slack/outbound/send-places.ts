import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { workspaceOf } from '../channel.ts';
import type { SlackPlace } from '../places.ts';
import type { SlackApi } from './api.ts';

/** Where posts go, in Slack's words. */
export type PostPlace = { channel: string; threadTs?: string };

export interface PlaceFinder {
  /** The direct message with a person is opened when it is not known yet. @throws {GatewayError} */
  find(channel: OpenChannel, place: SlackPlace, signal: AbortSignal): Promise<PostPlace>;
  /** Asks anew the next time. */
  forget(channel: OpenChannel, place: SlackPlace): void;
}

const directsMax = 20_000;

export function createPlaceFinder(api: SlackApi): PlaceFinder {
  const directs = new Map<string, string>();

  const openDirect = async (channel: OpenChannel, user: string, signal: AbortSignal): Promise<string> => {
    const key = keyOf(channel, user);
    const known = directs.get(key);
    if (known !== undefined) return known;
    const { channel: opened } = await api.call(channel, 'conversations.open', { users: user }, signal);
    if (!opened?.id) throw new GatewayError('unavailable', 'Slack opened a direct message without an id.');
    const [oldest] = directs.keys();
    if (directs.size >= directsMax && oldest !== undefined) directs.delete(oldest);
    directs.set(key, opened.id);
    return opened.id;
  };

  return {
    async find(channel, place, signal) {
      switch (place.kind) {
        case 'direct':
          return { channel: await openDirect(channel, place.user, signal) };
        case 'thread':
          return { channel: place.channel, threadTs: place.threadTs };
        case 'channel':
          return { channel: place.channel };
      }
    },
    forget(channel, place) {
      if (place.kind === 'direct') directs.delete(keyOf(channel, place.user));
    },
  };
}

// An installation in another workspace has other direct messages.
function keyOf(channel: OpenChannel, user: string): string {
  return `${channel.id}/${workspaceOf(channel) ?? ''}/${user}`;
}
