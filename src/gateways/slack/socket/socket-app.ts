import type { Uuid } from '#domain/ids.ts';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import type { OpenChannel, WebhookReply } from '../../gateway.ts';
import { createNaps, inTime } from '../../socket-waits.ts';
import { secretsOf, settingsOf } from '../channel.ts';
import { describeFailure } from '../outbound/api-failures.ts';
import { openSlackSocket, type SlackSocket, type SocketEnd } from './socket-connection.ts';
import type { Envelope, SocketEndpoint } from './socket-envelope.ts';

/** An app that takes what Slack says by a socket, and the channel that has its app-level token. */
export type SocketApp = { appId: string; tenantId: Uuid; channelId: Uuid };

export type SocketAppParts = {
  openChannel: (tenantId: Uuid, channelId: Uuid) => Promise<OpenChannel | undefined>;
  /** Who of all processes may have an app's socket. */
  lease: {
    /** Takes or extends it, for `leaseMs`; false: somebody else has it. */
    take(appId: string): Promise<boolean>;
    release(appId: string): Promise<void>;
    readonly leaseMs: number;
  };
  /** Resolves after the commit. Rejects: it was not kept, and Slack is to send it again. */
  deliver: (
    channel: OpenChannel,
    envelope: { endpoint: SocketEndpoint; body: object },
  ) => Promise<WebhookReply | undefined>;
  /** Another address of the Web API than Slack's. */
  apiUrl: string | undefined;
  logger: Logger;
};

/** What is under way when a socket is closed gets so long to be acknowledged. */
const graceMs = 3_000;
/** A socket that was open for this long was a good one: the next is opened at once. */
const steadyMs = 10_000;
const backoffMsMin = 1_000;
const backoffMsMax = 60_000;
/** Nothing changes by itself about a token that Slack refuses; a new one is tried at once. */
const refusedRetryMs = 60_000;

/**
 * Keeps the one socket of an app open while this process has its lease. A process that cannot open it gives the lease
 * back, so that another one may try.
 */
export function keepSlackSocket(parts: SocketAppParts, app: SocketApp): { stop(): Promise<void> } {
  const { lease, logger } = parts;
  const { appId, tenantId } = app;
  const now = () => performance.now();

  let current: { token: string; socket: SlackSocket } | undefined;
  /** When all that were closed here are. */
  let closed: Promise<unknown> = Promise.resolve();
  let leasedUntilMs = 0;
  let openAfterMs = 0;
  let failures = 0;
  let refusedToken: string | undefined;
  let watchdog: NodeJS.Timeout | undefined;
  let stopped = false;
  const naps = createNaps();

  const running = (async () => {
    while (!stopped) {
      const waitMs = await beat().catch((error: unknown) => {
        logger.warn({ err: error, tenantId, reason: appId }, 'a Slack socket could not be looked after');
        return lease.leaseMs / 3;
      });
      await naps.nap(waitMs);
    }
  })();

  /** Answers when to look again, in milliseconds. */
  async function beat(): Promise<number> {
    const channel = await inTime(parts.openChannel(tenantId, app.channelId), lease.leaseMs);
    const token = channel && secretsOf(channel).appToken;
    if (refusedToken !== undefined && token !== refusedToken) {
      refusedToken = undefined;
      openAfterMs = 0;
    }
    if (!current && now() < openAfterMs) {
      await giveLeaseBack();
      return Math.min(openAfterMs - now(), lease.leaseMs);
    }

    const askedAtMs = now();
    if (!(await inTime(lease.take(appId), lease.leaseMs))) {
      leasedUntilMs = 0;
      await close(0);
      return lease.leaseMs / 3;
    }
    leasedUntilMs = askedAtMs + lease.leaseMs;
    watchLease();
    if (current && current.token !== token) await close(graceMs);
    await closed;
    if (!current && !stopped && leasedUntilMs > now() && channel && token !== undefined) open(channel, token);
    return lease.leaseMs / 3;
  }

  // The lease is not ours any more when it could not be extended, whatever kept us from it.
  function watchLease(): void {
    clearTimeout(watchdog);
    const untilMs = leasedUntilMs - lease.leaseMs / 10;
    watchdog = setTimeout(() => {
      leasedUntilMs = 0;
      if (!current) return;
      logger.warn({ tenantId, reason: appId }, 'the lease of a Slack socket ran out; the socket is closed');
      void close(0);
    }, untilMs - now());
  }

  function open(channel: OpenChannel, token: string): void {
    const apiUrl = settingsOf(channel).apiUrl ?? parts.apiUrl;
    const socket = openSlackSocket({ appToken: token, apiUrl, logger, receive });
    current = { token, socket };
    void socket.ended.then((end) => {
      if (current?.socket !== socket) return; // it was closed here
      current = undefined;
      openAfterMs = now() + backoffAfter(end, token);
      naps.wake();
    });
  }

  async function receive({ endpoint, body, takesReply }: Envelope): Promise<object | undefined> {
    // A process that was frozen wakes up with an open socket that may be another's by now.
    if (now() >= leasedUntilMs) throw new Error('The lease of the socket ran out.');
    const channel = await parts.openChannel(tenantId, app.channelId);
    if (!channel) throw new Error('The channel of the socket is not there any more.');
    const reply = await parts.deliver(channel, { endpoint, body });
    return takesReply ? readReply(reply) : undefined;
  }

  function backoffAfter(end: SocketEnd, token: string): number {
    if (end.kind === 'ended') {
      refusedToken = undefined;
      failures = end.openMs >= steadyMs ? 0 : failures + 1;
      return backoff(failures);
    }
    failures += 1;
    const failure = describeFailure(end.error, 'apps.connections.open', exchange);
    const { retryAfterMs = 0, platformCode } = failure;
    if (failure.retry === 'later') {
      const delayMs = Math.max(backoff(failures), retryAfterMs);
      logger.warn({ err: failure, tenantId, reason: appId, delayMs }, 'a Slack socket could not be opened');
      return delayMs;
    }
    if (refusedToken !== token) {
      logger.error(
        { tenantId, reason: appId, ...(platformCode && { code: platformCode }) },
        'Slack opens no socket for an app: its appToken must be an app-level token of this app with the scope connections:write, and Socket Mode must be on',
      );
    }
    refusedToken = token;
    return refusedRetryMs;
  }

  async function close(withinMs: number): Promise<void> {
    const socket = current?.socket;
    current = undefined;
    closed = Promise.all([closed, socket?.close(withinMs)]);
    await closed;
  }

  async function giveLeaseBack(): Promise<void> {
    clearTimeout(watchdog);
    if (leasedUntilMs === 0) return;
    leasedUntilMs = 0;
    await lease.release(appId);
  }

  return {
    async stop() {
      stopped = true;
      naps.wake();
      await close(graceMs);
      await within(graceMs, running);
      await close(0);
      await giveLeaseBack().catch((error: unknown) =>
        logger.debug({ err: error, tenantId }, 'the lease of a Slack socket was not given back and runs out'),
      );
    },
  };
}

/** Half of it by chance, so that many apps do not come back at one moment. */
function backoff(failures: number): number {
  if (failures === 0) return 0;
  const wholeMs = Math.min(backoffMsMin * 2 ** (failures - 1), backoffMsMax);
  return wholeMs * (0.5 + Math.random() / 2);
}

const exchange = { signal: new AbortController().signal, status: undefined };

/** What the answer to a webhook would have been, as an acknowledgement has it. */
function readReply(reply: WebhookReply | undefined): object | undefined {
  if (!reply || reply.body === '') return undefined;
  if (!reply.contentType.startsWith('application/json')) return { text: reply.body };
  return JSON.parse(reply.body) as object;
}
