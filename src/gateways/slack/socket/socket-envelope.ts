/** What Slack sends by a socket, out of its envelope. `takesReply`: an answer may go along with the acknowledgement. */
export type Envelope = { endpoint: SocketEndpoint; body: object; takesReply: boolean };

export type SocketEndpoint = 'events' | 'interactions' | 'commands';

const endpoints: ReadonlyMap<unknown, SocketEndpoint> = new Map([
  ['events_api', 'events'],
  ['interactive', 'interactions'],
  ['slash_commands', 'commands'],
]);

/** What kind of envelope it is; `undefined`: none that is known here. */
export function endpointOf(type: unknown): SocketEndpoint | undefined {
  return endpoints.get(type);
}

/** A message as the SDK's client can take it. */
export type SocketMessage = { type: string; text: string };

/**
 * Looks at a message before the SDK's client does; `undefined`: it is nothing that anybody here knows. Of every event
 * the client reads `payload.event.type`, and where there is no `event` (`app_rate_limited`) that is a rejection which
 * nobody hears: such a one gets an empty one.
 */
export function readSocketMessage(data: unknown): SocketMessage | undefined {
  if (typeof data !== 'string') return undefined;
  const { type, envelope_id: id, payload, ...rest } = parse(data);
  if (type === 'hello' || type === 'disconnect') return { type, text: data };
  if (typeof type !== 'string' || endpointOf(type) === undefined || typeof id !== 'string') return undefined;
  if (!isFields(payload)) return undefined;
  if (type !== 'events_api' || isFields(payload['event'])) return { type, text: data };
  const mended = { ...rest, type, envelope_id: id, payload: { ...payload, event: {} } };
  return { type, text: JSON.stringify(mended) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(text);
    return isFields(message) ? message : {};
  } catch {
    return {};
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
