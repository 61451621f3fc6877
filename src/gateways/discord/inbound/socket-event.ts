import type { RawRequest, Verified } from '../../gateway.ts';
import { type Fields, fieldsOf, idOf, readJson, textOf } from './payload.ts';

/** What came by the gateway socket, and what its holder knows about it, as `identify` and `parse` read it. */
export type SocketEvent = {
  /** `MESSAGE_CREATE`. */
  name: string;
  data: Fields;
  /** Identifies the event: the session and its sequence number in it. */
  eventId: string;
  /** The bot's user and its own roles in the server. */
  bot: { user: string; roles: readonly string[] };
  /** Whether the channel is a thread; absent where nobody needs to know. */
  isThread?: boolean;
  /** Of a direct message, which names no server. */
  account?: { kind: string; key: string };
};

export const socketEndpoint = 'gateway';

/**
 * An event as a request. We opened the socket, with the bot's own token, at an address that Discord gave us: what comes by
 * it is Discord's. No address of ours leads to this endpoint.
 */
export function writeSocketEvent(event: SocketEvent): Verified<RawRequest> {
  return asVerified(socketEndpoint, event);
}

/** An interaction that came by the socket, because the application has no address for them. */
export function writeSocketInteraction(data: Fields): Verified<RawRequest> {
  return asVerified('interactions', data);
}

function asVerified(endpoint: string, body: object): Verified<RawRequest> {
  const request: RawRequest = {
    ...{ method: 'POST', urls: [], endpoint, headers: {} },
    body: Buffer.from(JSON.stringify(body)),
  };
  return request as Verified<RawRequest>;
}

export function readSocketEvent({ body }: RawRequest): SocketEvent {
  const { name, data, eventId, bot, isThread, account } = readJson(body) ?? {};
  const { user, roles } = fieldsOf(bot);
  const { kind, key } = fieldsOf(account);
  return {
    name: textOf(name) ?? '',
    data: fieldsOf(data),
    eventId: textOf(eventId) ?? '',
    bot: {
      user: idOf(user) ?? '',
      roles: Array.isArray(roles) ? roles.map(idOf).filter((id) => id !== undefined) : [],
    },
    ...(typeof isThread === 'boolean' && { isThread }),
    ...(typeof kind === 'string' && typeof key === 'string' && { account: { kind, key } }),
  };
}
