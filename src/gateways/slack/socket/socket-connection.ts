import { SocketModeClient } from '@slack/socket-mode';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import { slackApiUrlDefault } from '../install/install-client.ts';
import { type Envelope, endpointOf, readSocketMessage, type SocketEndpoint } from './socket-envelope.ts';
import { createSocketLog } from './socket-log.ts';

export type SocketOptions = {
  appToken: string;
  apiUrl: string | undefined;
  logger: Logger;
  /** What is answered is sent along with the acknowledgement. Rejects: no acknowledgement, and Slack sends it again. */
  receive: (envelope: Envelope) => Promise<object | undefined>;
};

export type SocketEnd =
  /** It was never open. */
  | { kind: 'failed'; error: unknown }
  /** It was open. Slack ends each after some hours, and wants another one then. */
  | { kind: 'ended'; openMs: number };

export interface SlackSocket {
  /** Settles when nothing comes by it any more. */
  readonly ended: Promise<SocketEnd>;
  /** Takes nothing more, gives what is under way so long to be acknowledged, and ends. */
  close(graceMs: number): Promise<void>;
}

const openTimeoutMs = 20_000;
const callTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;
const replaceGraceMs = 3_000;

/**
 * One socket of Socket Mode (https://docs.slack.dev/apis/events-api/using-socket-mode), from its opening to its end.
 *
 * The SDK's client opens it and watches over its pulse, and does no more: when it reconnects by itself, an address that
 * it cannot get (no network, a token that was revoked) is a rejection that nobody hears, which ends the process.
 */
export function openSlackSocket({ appToken, apiUrl, logger, receive }: SocketOptions): SlackSocket {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();

  const client = new SocketModeClient({
    appToken,
    autoReconnectEnabled: false,
    logger: createSocketLog(logger),
    clientOptions: {
      slackApiUrl: apiUrl ?? slackApiUrlDefault,
      allowAbsoluteUrls: false,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: callTimeoutMs,
      fetch: (url, { signal, ...init } = {}) =>
        fetch(url, { ...init, signal: AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]) }),
    },
  });

  async function settle(event: SlackEvent, endpoint: SocketEndpoint): Promise<void> {
    const { type, body, ack, accepts_response_payload: takesReply = false } = event;
    try {
      await ack(await receive({ endpoint, body, takesReply }));
    } catch (error) {
      logger.warn({ err: error, reason: type }, 'what came by a Slack socket was not acknowledged');
    }
  }

  // It warns some seconds ahead. The client itself would close at once, and then wait long for the other side.
  guardMessages(client, () => void finish(replaceGraceMs));
  client.on('slack_event', (event: SlackEvent) => {
    const endpoint = endpointOf(event.type);
    if (endpoint === undefined || closing.signal.aborted) return;
    const work = settle(event, endpoint).finally(() => underWay.delete(work));
    underWay.add(work);
  });

  // Twice, if it must be: the second time the client waits no longer for the other side to close as well.
  const disconnect = async () => {
    const closed = within(closeTimeoutMs, client.disconnect());
    if (!(await closed)) void client.disconnect();
  };
  // A client that is told to disconnect while it is still asking for the address opens the socket all the same.
  client.on('connecting', () => {
    if (closing.signal.aborted) queueMicrotask(() => void disconnect());
  });

  const finish = async (graceMs: number) => {
    if (underWay.size > 0) await within(graceMs, Promise.all(underWay));
    await disconnect();
  };

  return {
    ended: live(),
    async close(graceMs) {
      closing.abort();
      await finish(graceMs);
    },
  };

  async function live(): Promise<SocketEnd> {
    const gone = new Promise<void>((resolve) => {
      client.once('disconnected', () => resolve());
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Slack did not open the socket in time.')), openTimeoutMs);
    });
    try {
      await Promise.race([client.start(), late]);
    } catch (error) {
      closing.abort();
      void disconnect();
      return { kind: 'failed', error: error ?? new Error('Slack closed the socket before it was open.') };
    } finally {
      clearTimeout(timer);
    }
    const openedAtMs = performance.now();
    await gone;
    return { kind: 'ended', openMs: performance.now() - openedAtMs };
  }
}

/** What the client emits for each envelope. */
type SlackEvent = {
  type: string;
  body: object;
  accepts_response_payload?: boolean;
  ack(reply?: object): Promise<void>;
};

/** Lets the client see only messages that it can take. `onDisconnect`: Slack asks for another socket instead. */
function guardMessages(client: SocketModeClient, onDisconnect: () => void): void {
  const own = client.listeners('ws_message');
  client.removeAllListeners('ws_message');
  client.on('ws_message', (data: unknown, isBinary: boolean) => {
    const message = isBinary ? undefined : readSocketMessage(data);
    if (!message) return;
    if (message.type === 'disconnect') return onDisconnect();
    for (const listener of own) void listener(message.text, false);
  });
}
