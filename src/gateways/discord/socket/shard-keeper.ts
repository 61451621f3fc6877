import { setTimeout as pause } from 'node:timers/promises';
import { within } from '#kernel/within.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import type { ChannelKeeper, PaceBudget, SocketSessions } from '../../journey.ts';
import { createNaps, inTime } from '../../socket-waits.ts';
import type { DiscordApp } from '../channel.ts';
import { type Fields, fieldsOf, idOf } from '../inbound/payload.ts';
import { createBackoff } from './backoff.ts';
import { wrongCount } from './close-codes.ts';
import { waitToIdentify } from './identify-pace.ts';
import { createInOrder } from './in-order.ts';
import { intentsOf } from './intents.ts';
import { createLanes } from './lanes.ts';
import { createLookBack, type LookBackParts } from './look-back.ts';
import { type Hearer, mayPass } from './receive-event.ts';
import {
  createSequenceTracker,
  type DiscordSession,
  readSessionState,
  type SessionState,
} from './session-state.ts';
import { openShardSocket, type ShardEnd, type ShardSocket } from './shard-socket.ts';
import type { SocketLease } from './socket-lease.ts';

export type ShardKeeperParts = LookBackParts & {
  lease: SocketLease;
  sessions: SocketSessions;
  budget: PaceBudget;
  keeper: Pick<ChannelKeeper, 'pause' | 'resume'>;
  /** After a socket was opened: what the app's people see is set up. */
  onReady: (app: DiscordApp) => void;
  silenceMs?: number;
  /** After how long a socket that Discord would close again is tried again; twice as long each time. */
  faultRetryMs?: number;
};

/** A bot as it is now, and its channel when it is a tenant's own. */
export type SocketBot = { app: DiscordApp; own: OpenChannel | undefined };

export type ShardOptions = {
  applicationId: string;
  shard: number;
  shardCount: number;
  /** Sessions of another plan cannot be gone on with. */
  generation: number;
  /** Since when the shards of the plan before may have missed something. */
  sinceMs: number | undefined;
  url: string;
  /** Asked each time: tokens and settings change. `undefined`: it is not there any more, or has no token. */
  bot: () => Promise<SocketBot | undefined>;
  /** Discord wants another number of shards. */
  onWrongCount?: () => void;
};

/** Where a session stands is kept so often: what is heard twice after a crash is known again. */
const keepEveryMs = 1_000;
const graceMs = 3_000;
/** Each time counts as one of the thousand of a day. */
const faultRetryMsDefault = 60_000;
const faultRetryMsMax = 15 * 60_000;
const silentRetryMs = 1_000;
/** More that waits to be kept than this, and nothing more is read until half of it is. */
const waitingMax = 5_000;
/** More of one channel, and what comes there is asked for again later: the other channels are heard meanwhile. */
const waitingInChannelMax = 1_000;
const retryMsMin = 250;
const retryMsMax = 5_000;
/** Servers are told of within this time after a session has begun. */
const gapMs = 10 * 60_000;

/**
 * Keeps the one socket of a shard open while this process has its lease, and goes on with its session from where the last
 * holder has kept everything, whichever process that was.
 */
export function keepShard(parts: ShardKeeperParts, options: ShardOptions): { stop(): Promise<void> } {
  const { lease, sessions, logger } = parts;
  const { applicationId, shard, shardCount, generation } = options;
  const name = `${applicationId}/${shard}`;
  const now = () => performance.now();

  let current: { key: string; socket: ShardSocket } | undefined;
  let session: SessionState | undefined;
  let fault: string | undefined;
  let faultKey: string | undefined;
  let leasedUntilMs = 0;
  let openAfterMs = 0;
  let keptAtMs = 0;
  let keptText = '';
  let faults = 0;
  let isOpen = false;
  let stopped = false;
  /** Where the session stands has been read, and nobody else has gone on with it since. */
  let tenure: object | undefined;
  let askedAgainAtMs = Number.NEGATIVE_INFINITY;
  let watchdog: NodeJS.Timeout | undefined;
  const tracker = createSequenceTracker(0);
  const backoff = createBackoff();
  const inOrder = createInOrder();
  const lanes = createLanes(waitingInChannelMax);
  const lookBack = createLookBack(parts, { name, shard });
  const naps = createNaps();

  const running = (async () => {
    while (!stopped) {
      const waitMs = await beat().catch((error: unknown) => {
        logger.warn({ err: error, reason: name }, 'a Discord socket could not be looked after');
        return lease.leaseMs / 3;
      });
      await naps.nap(waitMs);
    }
  })();

  /** Answers when to look again, in milliseconds. */
  async function beat(): Promise<number> {
    const bot = await inTime(options.bot(), lease.leaseMs);
    const key = bot && keyOf(bot);
    const askedAtMs = now();
    if (!bot || !(await inTime(lease.take(name), lease.leaseMs))) {
      await loseLease();
      return lease.leaseMs / 3;
    }
    leasedUntilMs = askedAtMs + lease.leaseMs;
    watchLease();
    if (current && current.key !== key) await close();
    if (faultKey !== undefined && faultKey !== key) openAfterMs = 0;
    if (!tenure) {
      const kept = readSessionState(await inTime(sessions.read(name), lease.leaseMs));
      session = kept?.generation === generation && kept.shardCount === shardCount ? kept : undefined;
      tracker.reset(session?.sequence ?? 0);
      tenure = {};
    }
    if (current && lanes.hasRoomAgain && now() - askedAgainAtMs > retryMsMax) {
      askedAgainAtMs = now();
      await close();
    }
    if (!current && !stopped && now() >= openAfterMs && leasedUntilMs > now()) open(bot, key ?? '');
    await keepSession(false);
    return Math.min(lease.leaseMs / 3, keepEveryMs);
  }

  async function loseLease(): Promise<void> {
    clearTimeout(watchdog);
    leasedUntilMs = 0;
    tenure = undefined;
    if (current) await close();
  }

  // The lease is not ours any more when it could not be extended, whatever kept us from it.
  function watchLease(): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(
      () => {
        leasedUntilMs = 0;
        tenure = undefined;
        if (!current) return;
        logger.warn({ reason: name }, 'the lease of a Discord socket ran out; the socket is closed');
        void close();
      },
      leasedUntilMs - lease.leaseMs / 10 - now(),
    );
  }

  function open(bot: SocketBot, key: string): void {
    const { app, own } = bot;
    const socket = openShardSocket({
      ...{ applicationId, shard, shardCount, logger, url: options.url, intents: intentsOf(own) },
      ...(parts.silenceMs !== undefined && { silenceMs: parts.silenceMs }),
      ...{ account: app.account, botToken: app.botToken ?? '' },
      session: () => (session?.sessionId ? { ...session, sequence: tracker.sequence } : undefined),
      onSession: (next) => changeSession(next),
      async admit() {
        const delayMs = backoff.delayMs();
        if (delayMs > 0) await pause(delayMs);
        lanes.comesAgain();
      },
      waitToIdentify: (signal) => waitToIdentify(parts, app, shard, signal),
      onEvent: (event) => take(bot, event),
      onOpen: (how) => opened(bot, how),
      onClosed: (code) => {
        isOpen = false;
        backoff.closed();
        logger.debug({ reason: name, code: String(code) }, 'a Discord socket was closed');
      },
    });
    current = { key, socket };
    void socket.ended.then((end) => ended(bot, key, socket, end));
  }

  function changeSession(next: DiscordSession | undefined): void {
    const before = session;
    // What began in a gap and was lost before that was looked up leaves the whole of it to the next one.
    const isGapOpen = before?.gap !== undefined && Date.now() < before.gap.untilMs;
    const sinceMs = isGapOpen ? before.gap?.sinceMs : (before?.aliveAtMs ?? options.sinceMs);
    if (!next) {
      // Since when there is a gap has to be known by whoever begins the next session.
      session = before && { ...before, sessionId: '' };
      return;
    }
    // READY, which tells of it, is its first event and still to be taken.
    tracker.reset(next.sequence - 1);
    session = {
      ...next,
      generation,
      botUser: before?.botUser ?? applicationId,
      aliveAtMs: Date.now(),
      ...(sinceMs !== undefined && { gap: { sinceMs, untilMs: Date.now() + gapMs } }),
    };
  }

  function opened(bot: SocketBot, how: 'new' | 'resumed'): void {
    isOpen = true;
    faults = 0;
    backoff[how === 'resumed' ? 'resumed' : 'ready']();
    fault = undefined;
    faultKey = undefined;
    logger.info(
      { reason: name },
      how === 'resumed' ? 'a Discord session was resumed' : 'a Discord session began',
    );
    void keepSession(true).catch(() => {});
    if (bot.own) void mend(bot.own).catch(() => {});
    if (shard === 0) parts.onReady(bot.app);
  }

  function take(bot: SocketBot, event: { name: string; sequence: number; data: unknown }): void {
    const data = fieldsOf(event.data);
    const { sessionId = '' } = session ?? {};
    if (event.name === 'READY' && session) {
      session.botUser = idOf(fieldsOf(data['user'])['id']) ?? applicationId;
      keptText = '';
    }
    // A process that was frozen wakes up with an open socket that may be another's by now.
    if (now() >= leasedUntilMs) return;
    if (!tracker.begin(event.sequence)) return;
    const lane = orderOf(data);
    const wasBehind = lanes.isBehind(lane);
    if (!lanes.enter(lane)) {
      tracker.leave(event.sequence);
      if (!wasBehind)
        logger.warn(
          { reason: `${name}, channel ${lane}`, count: waitingInChannelMax },
          'a channel brings more by a Discord socket than can be kept, and is asked again later',
        );
      return;
    }
    if (lanes.count > waitingMax) current?.socket.pause();
    const hearer: Hearer = { ...bot, botUser: session?.botUser ?? applicationId };
    const eventId = `${sessionId}/${event.sequence}`;
    const begunIn = tenure;
    void inOrder(lane, async () => {
      // Whoever has gone on with the session hears it.
      if (tenure !== begunIn) return;
      await keepTrying(
        () => handle(hearer, { name: event.name, data, eventId }),
        () => !stopped && tenure === begunIn,
      );
      // What another session brought since has begun to count anew; another socket of the same one has not.
      if (session?.sessionId === sessionId && tenure === begunIn) tracker.done(event.sequence);
    })
      .catch((error: unknown) =>
        logger.debug({ err: error, reason: name }, 'an event of a Discord socket is left to the next one'),
      )
      .finally(() => {
        lanes.leave(lane);
        if (lanes.count === waitingMax / 2) current?.socket.resume();
      });
  }

  async function handle(
    hearer: Hearer,
    event: { name: string; data: Fields; eventId: string },
  ): Promise<void> {
    await parts.receive(hearer, event);
    await lookBack(hearer, event, session?.gap);
  }

  /** Again and again while it may pass, because an event that is given up is lost. */
  async function keepTrying(work: () => Promise<void>, isOurs: () => boolean): Promise<void> {
    for (let delayMs = retryMsMin; ; delayMs = Math.min(delayMs * 2, retryMsMax)) {
      try {
        return await work();
      } catch (error) {
        if (!mayPass(error)) {
          logger.warn({ err: error, reason: name }, 'an event of a Discord socket could not be kept');
          return;
        }
        if (!isOurs()) throw error;
        const waitMs = error instanceof GatewayError ? Math.max(error.retryAfterMs ?? 0, delayMs) : delayMs;
        logger.debug(
          { err: error, reason: name, delayMs: waitMs },
          'an event of a Discord socket is kept later',
        );
        await pause(waitMs);
        if (!isOurs()) throw error;
      }
    }
  }

  async function ended(bot: SocketBot, key: string, socket: ShardSocket, end: ShardEnd): Promise<void> {
    if (current?.socket !== socket) return; // it was closed here
    await close();
    if (end.kind === 'silent') {
      logger.warn({ reason: name }, 'a Discord socket gave no sign of life and is opened anew');
      openAfterMs = now() + silentRetryMs;
      naps.wake();
      return;
    }
    if (end.code !== undefined && wrongCount.has(end.code)) options.onWrongCount?.();
    openAfterMs =
      now() + Math.min((parts.faultRetryMs ?? faultRetryMsDefault) * 2 ** faults, faultRetryMsMax);
    faults += 1;
    faultKey = key;
    if (fault !== end.fault)
      logger.error({ reason: end.fault }, 'Discord opens no socket for an application');
    fault = end.fault;
    await keepSession(true).catch(() => {});
    if (bot.own) await parts.keeper.pause(bot.own, end.fault).catch(() => {});
  }

  // It was paused for the socket, and the socket is open.
  async function mend(own: OpenChannel): Promise<void> {
    const { own: channel } = (await options.bot()) ?? {};
    const wasOurs = channel?.id === own.id && channel.statusReason?.startsWith('Discord ') === true;
    if (channel && wasOurs && channel.status === 'paused') await parts.keeper.resume(channel);
  }

  async function keepSession(atOnce: boolean): Promise<void> {
    if (leasedUntilMs <= now() || !tenure) return;
    if (!atOnce && now() - keptAtMs < keepEveryMs * 0.9) return;
    if (session && isOpen && tracker.outstanding === 0) session.aliveAtMs = Date.now();
    const state = session && { ...session, sequence: tracker.sequence };
    const { aliveAtMs: _clock, ...rest } = state ?? { aliveAtMs: 0 };
    const text = JSON.stringify([rest, fault]);
    // That nothing was said is kept more seldom: it only says from when on to look.
    if (!atOnce && text === keptText && now() - keptAtMs < 10 * keepEveryMs) return;
    keptAtMs = now();
    if (!(await sessions.keep(name, state, fault))) {
      leasedUntilMs = 0;
      naps.wake();
      return;
    }
    keptText = text;
  }

  async function close(): Promise<void> {
    const socket = current?.socket;
    if (!socket) return;
    isOpen = false;
    await socket.close();
    if (current?.socket === socket) current = undefined;
  }

  return {
    async stop() {
      stopped = true;
      naps.wake();
      const socket = current?.socket;
      await socket?.close();
      await within(graceMs, inOrder.idle());
      await within(graceMs, keepSession(true));
      current = undefined;
      tenure = undefined;
      await within(graceMs, running);
      clearTimeout(watchdog);
      if (leasedUntilMs > 0)
        await lease
          .release(name)
          .catch((error: unknown) =>
            logger.debug(
              { err: error, reason: name },
              'the lease of a Discord socket was not given back and runs out',
            ),
          );
    },
  };
}

/** What a socket is opened anew for. */
function keyOf({ app, own }: SocketBot): string {
  return JSON.stringify([app.botToken, app.apiUrl, intentsOf(own)]);
}

/** Messages of one channel are kept one after the other. */
function orderOf(data: Fields): string {
  return idOf(data['channel_id']) ?? idOf(data['guild_id']) ?? idOf(data['id']) ?? '';
}
