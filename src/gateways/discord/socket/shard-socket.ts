import { EventEmitter } from 'node:events';
import { WebSocketShard, WebSocketShardEvents, WebSocketShardStatus } from '@discordjs/ws';
import { WebSocket } from 'ws';
import type { Logger } from '#kernel/logger.ts';
import { within } from '#kernel/within.ts';
import { foreignTokenFault } from '../outbound/token-owner.ts';
import { endsSession, faultOf } from './close-codes.ts';
import { type DiscordSession, isSocketUrl, type SessionState } from './session-state.ts';

export type ShardSocketOptions = {
  applicationId: string;
  /** '' is the shared app. */
  account: string;
  botToken: string;
  /** Where a new session begins. */
  url: string;
  shard: number;
  shardCount: number;
  intents: number;
  /** The session that is gone on with; its place is asked for each time. */
  session: () => SessionState | undefined;
  /** Discord has another session for us, or none any more. */
  onSession: (session: DiscordSession | undefined) => void;
  /** Not before it resolves is a connection opened. */
  admit: () => Promise<void>;
  waitToIdentify: (signal: AbortSignal) => Promise<void>;
  onEvent: (event: { name: string; sequence: number; data: unknown }) => void;
  onOpen: (how: 'new' | 'resumed') => void;
  onClosed: (code: number) => void;
  logger: Logger;
  /** Without a sign of life for so long, a socket is taken for dead. */
  silenceMs?: number;
};

export type ShardEnd =
  /** Discord would close the next one as well. */
  | { kind: 'fatal'; fault: string; code?: number }
  /** Nothing comes by it, and it does not say so. */
  | { kind: 'silent' };

export interface ShardSocket {
  /** Settles when it does not go on by itself. Until then the SDK opens it again, each time it is closed. */
  readonly ended: Promise<ShardEnd>;
  /** Reads nothing more for now: what comes waits with Discord. */
  pause(): void;
  /** Reads on, if it was paused. */
  resume(): void;
  /** Ends it in a way that the session can be resumed after. */
  close(): Promise<void>;
}

/** Any but 1000 and 1001, after which Discord would forget the session. */
const resumableCode = 4_200;
const closeTimeoutMs = 2_000;
/** Discord's heartbeats are 41 s apart, and one that is missed may be answered by the next. */
const silenceMsDefault = 100_000;
const handshakeTimeoutMs = 10_000;
const helloTimeoutMs = 15_000;
const readyTimeoutMs = 20_000;
const noError = () => {};

/**
 * The socket of one shard (https://discord.com/developers/docs/events/gateway), over the SDK's. The SDK speaks the
 * protocol; what it would remember about the session is ours to say: it holds what has arrived for what has been kept, and
 * forgets a session when the network fails, which Discord does not.
 */
export function openShardSocket(options: ShardSocketOptions): ShardSocket {
  const { applicationId, shard: id, logger } = options;
  let isClosing = false;
  /** The token is another application's. */
  let isForeign = false;
  let lastCode: number | undefined;
  let lastSignAtMs = performance.now();
  let settle: (end: ShardEnd) => void = () => {};
  const ended = new Promise<ShardEnd>((resolve) => {
    settle = resolve;
  });
  const never = new Promise<never>(() => {});

  const shard: WebSocketShard = new WebSocketShard(
    {
      options: {
        ...{ token: options.botToken, intents: options.intents, shardCount: options.shardCount },
        gatewayInformation: { url: options.url } as never,
        ...{ compression: null, encoding: 'json' as never, version: '10', useIdentifyCompression: false },
        ...{
          handshakeTimeout: handshakeTimeoutMs,
          helloTimeout: helloTimeoutMs,
          readyTimeout: readyTimeoutMs,
        },
        ...{ initialPresence: null, largeThreshold: null },
        identifyProperties: { os: process.platform, browser: 'swarmgate', device: 'swarmgate' },
      },
      async retrieveSessionInfo() {
        if (shard.status === WebSocketShardStatus.Idle) {
          // It is about to connect.
          await options.admit();
          if (isClosing) return never;
          lastSignAtMs = performance.now();
        }
        setImmediate(hearErrors);
        const session = options.session();
        if (!session || session.shardCount !== options.shardCount) return null;
        const { sessionId, resumeUrl: resumeURL, sequence, shardCount } = session;
        return { sessionId, resumeURL, sequence, shardCount, shardId: id };
      },
      updateSessionInfo(_shardId, info) {
        if (isClosing) return;
        if (info === null) {
          // Only Discord ends a session; a network that fails does not.
          if (lastCode === undefined || endsSession(lastCode)) options.onSession(undefined);
          return;
        }
        if (info.sessionId === options.session()?.sessionId) return;
        const { sessionId, resumeURL, sequence, shardCount } = info;
        const resumeUrl = isSocketUrl(resumeURL) ? resumeURL : options.url;
        options.onSession({ sessionId, resumeUrl, sequence, shardCount, botUser: '' });
      },
      waitForIdentify: (_shardId, signal) => options.waitToIdentify(signal),
    },
    id,
  );

  // The SDK takes its own listener away from what it gives up, which may still fail: nobody would hear that, and the process
  // would end.
  function hearErrors(): void {
    const connection: unknown = Reflect.get(shard, 'connection');
    if (connection instanceof EventEmitter && !connection.listeners('error').includes(noError))
      connection.on('error', noError);
  }

  // A connection that is opened meanwhile is not paused: it has to be greeted, and what it brings is known.
  let paused: object | undefined;
  function flow(how: 'pause' | 'resume'): void {
    const connection: unknown = Reflect.get(shard, 'connection');
    if (!(connection instanceof WebSocket)) return;
    connection[how]();
    paused = how === 'pause' ? connection : undefined;
    lastSignAtMs = performance.now();
  }

  const sign = () => {
    lastSignAtMs = performance.now();
  };
  shard.on(WebSocketShardEvents.Hello, () => {
    lastCode = undefined;
    sign();
  });
  shard.on(WebSocketShardEvents.HeartbeatComplete, sign);
  shard.on(WebSocketShardEvents.Ready, ({ application }) => {
    if (application.id === applicationId) return options.onOpen('new');
    // Nothing that it tells is for this channel, and nobody else is to go on with the session.
    isForeign = true;
    options.onSession(undefined);
    settle({ kind: 'fatal', fault: foreignTokenFault(options, application.id) });
  });
  shard.on(WebSocketShardEvents.Resumed, () => options.onOpen('resumed'));
  shard.on(WebSocketShardEvents.Dispatch, ({ t: name, s: sequence, d: data }) => {
    sign();
    if (!isClosing && !isForeign) options.onEvent({ name, sequence, data });
  });
  shard.on(WebSocketShardEvents.Closed, (code) => {
    lastCode = code;
    if (isClosing) return;
    if (endsSession(code) && code !== 1_000) options.onSession(undefined);
    options.onClosed(code);
    const fault = faultOf(code, applicationId);
    if (fault !== undefined) settle({ kind: 'fatal', fault, code });
  });
  shard.on(WebSocketShardEvents.SocketError, (error) =>
    logger.debug({ err: error, reason: applicationId }, 'a Discord socket failed'),
  );
  // What it is about was said by the close code.
  shard.on(WebSocketShardEvents.Error, () => {});

  const silenceMs = options.silenceMs ?? silenceMsDefault;
  const watchdog = setInterval(
    () => {
      // Nobody listens while it is paused; the SDK sees by its heartbeats when the other side is gone.
      if (paused && paused === Reflect.get(shard, 'connection')) return;
      if (shard.status === WebSocketShardStatus.Idle || performance.now() - lastSignAtMs < silenceMs) return;
      settle({ kind: 'silent' });
    },
    Math.max(silenceMs / 4, 250),
  );
  watchdog.unref();
  // It rejects when the first attempt ends, which the other events tell.
  shard.connect().catch(() => {});

  return {
    ended,
    pause: () => flow('pause'),
    resume: () => flow('resume'),
    async close() {
      isClosing = true;
      // The other side's goodbye has to be heard.
      flow('resume');
      clearInterval(watchdog);
      hearErrors();
      const connection: unknown = Reflect.get(shard, 'connection');
      await within(closeTimeoutMs, shard.destroy({ code: resumableCode }));
      // One that was still being opened, or whose other side is gone, would stay.
      if (
        connection instanceof Object &&
        'terminate' in connection &&
        typeof connection.terminate === 'function'
      )
        connection.terminate();
    },
  };
}
