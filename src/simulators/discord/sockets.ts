import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Judge } from './judge.ts';
import { messageOnWire, userOnWire } from './message-on-wire.ts';
import type {
  Json,
  SimulatedApp,
  SimulatedChannel,
  SimulatedGuild,
  SimulatedMessage,
  World,
} from './world.ts';

/** The gateway (https://discord.com/developers/docs/events/gateway): hello, identify, resume, heartbeats, close codes. */

export type SocketOptions = {
  /** Discord's own is 41,250. */
  heartbeatMs?: number;
  /** For so long a session without a socket can be resumed. */
  resumableMs?: number;
  /** How far apart identifies of one key have to be; Discord's own is 5,000. */
  identifyMs?: number;
  identifiesPerDay?: number;
  maxConcurrency?: number;
  /** So many events of a session can be told again. */
  replayMax?: number;
};

type Frame = { op: number; d?: unknown; s?: number; t?: string };
type Session = {
  id: string;
  app: SimulatedApp;
  shard: readonly [number, number];
  intents: number;
  seq: number;
  log: { s: number; frame: Frame }[];
  socket: WebSocket | undefined;
  leftAtMs: number | undefined;
};

const messageContent = 1 << 15;
const directIntents: Readonly<Record<string, number>> = { MESSAGE: 1 << 12, REACTION: 1 << 13 };
const guildIntents: Readonly<Record<string, number>> = { MESSAGE: 1 << 9, REACTION: 1 << 10 };
const viewChannel = 1 << 10;
const readHistory = 1 << 16;
const sendsPerMinute = 120;

export type Sockets = ReturnType<typeof createSockets>;

export function createSockets(parts: {
  world: World;
  judge: Judge;
  url: () => string;
  now: () => number;
  options: SocketOptions;
}) {
  const { world, judge, url, now, options } = parts;
  const { heartbeatMs = 41_250, resumableMs = 120_000, identifyMs = 5_000, maxConcurrency = 1 } = options;
  const { replayMax = 1_000 } = options;
  const sessions = new Map<string, Session>();
  const server = new WebSocketServer({ noServer: true });
  const connections = new Set<WebSocket>();
  const identifies: { appId: string; shard: number; atMs: number }[] = [];
  const resumes: { appId: string; seq: number; atMs: number }[] = [];
  const most = new Map<string, number>();
  const frozen = new Set<string>();
  const refusing = new Map<string, number>();
  let limit = options.identifiesPerDay ?? 1_000;

  const ofApp = (appId: string) => [...sessions.values()].filter(({ app }) => app.id === appId);
  const openOf = (appId: string) => ofApp(appId).filter(({ socket }) => socket !== undefined);

  function accept(socket: WebSocket): void {
    let session: Session | undefined;
    const sent: number[] = [];
    connections.add(socket);
    const send = (frame: Frame) => socket.send(JSON.stringify(frame));
    socket.on('close', () => {
      connections.delete(socket);
      if (session?.socket !== socket) return;
      session.socket = undefined;
      session.leftAtMs = now();
    });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      if (data.length > 4_096) return socket.close(4_002);
      sent.push(now());
      if (sent.filter((atMs) => now() - atMs < 60_000).length > sendsPerMinute) return socket.close(4_008);
      const { op, d } = JSON.parse(data.toString()) as Frame;
      if (op === 1) {
        if (session && frozen.has(session.app.id)) return;
        return send({ op: 11 });
      }
      if (op === 2) session = identify(socket, d as Json);
      else if (op === 6) session = resume(socket, d as Json, send);
      else if (!session) socket.close(4_003);
    });
    send({ op: 10, d: { heartbeat_interval: heartbeatMs } });
  }

  function identify(socket: WebSocket, d: Json): Session | undefined {
    const app = world.appByToken(typeof d['token'] === 'string' ? d['token'] : undefined);
    if (!app) return void socket.close(4_004);
    const refusal = refusing.get(app.id);
    if (refusal !== undefined) return void socket.close(refusal);
    const intents = Number(d['intents']);
    if ((intents & messageContent) !== 0 && !app.messageContent) return void socket.close(4_014);
    const [shard = 0, count = 1] = (d['shard'] ?? [0, 1]) as [number, number];
    if (shard >= count) return void socket.close(4_010);
    const key = shard % maxConcurrency;
    const last = identifies.findLast((one) => one.appId === app.id && one.shard % maxConcurrency === key);
    // Discord's own clock is a little off as well.
    if (last && now() - last.atMs < identifyMs - 50)
      judge.violations.push(`${app.id} identified ${now() - last.atMs} ms after the last time`);
    identifies.push({ appId: app.id, shard, atMs: now() });
    limit -= 1;
    if (limit < 0) judge.violations.push(`${app.id} identified too often: its token is reset`);
    const session: Session = {
      id: randomBytes(16).toString('hex'),
      ...{ app, shard: [shard, count] as const, intents, seq: 0, log: [], socket, leftAtMs: undefined },
    };
    for (const other of openOf(app.id)) {
      if (other.shard[1] !== count)
        judge.violations.push(`${app.id} has shards of ${other.shard[1]} and of ${count} at once`);
      if (other.shard[0] !== shard) continue;
      judge.violations.push(`${app.id} opened a second socket of shard ${shard}`);
      other.socket?.close(4_000);
    }
    sessions.set(session.id, session);
    note(app.id);
    const guilds = [...world.guilds.values()].filter(
      (guild) => isFor(session, guild.id) && guild.bots.has(app.id),
    );
    dispatch(session, 'READY', {
      ...{ v: 10, user: userOnWire(world, app.id), session_id: session.id },
      ...{ resume_gateway_url: url().replace('http', 'ws'), shard: session.shard },
      application: { id: app.id, flags: 0 },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
    });
    for (const guild of guilds) dispatch(session, 'GUILD_CREATE', guildOnWire(guild, app.id));
    return session;
  }

  function resume(socket: WebSocket, d: Json, send: (frame: Frame) => void): Session | undefined {
    const app = world.appByToken(typeof d['token'] === 'string' ? d['token'] : undefined);
    if (!app) return void socket.close(4_004);
    const session = sessions.get(String(d['session_id']));
    const seq = Number(d['seq']);
    const isOver = session?.leftAtMs !== undefined && now() - session.leftAtMs > resumableMs;
    const hasAll = session && (seq >= session.seq || (session.log[0]?.s ?? 1) <= seq + 1);
    if (!session || session.app !== app || isOver || !hasAll) {
      send({ op: 9, d: false });
      return undefined;
    }
    if (seq > session.seq) return void socket.close(4_007);
    session.socket?.terminate();
    session.socket = socket;
    session.leftAtMs = undefined;
    note(app.id);
    resumes.push({ appId: app.id, seq, atMs: now() });
    for (const { s, frame } of session.log) if (s > seq) send(frame);
    dispatch(session, 'RESUMED', {});
    return session;
  }

  function note(appId: string): void {
    most.set(appId, Math.max(most.get(appId) ?? 0, openOf(appId).length));
  }

  function dispatch(session: Session, t: string, d: unknown): void {
    session.seq += 1;
    const frame: Frame = { op: 0, t, s: session.seq, d };
    session.log.push({ s: session.seq, frame });
    if (session.log.length > replayMax) session.log.shift();
    session.socket?.send(JSON.stringify(frame));
  }

  function isFor({ shard: [index, count] }: Session, guildId: string | undefined): boolean {
    return guildId === undefined ? index === 0 : Number((BigInt(guildId) >> 22n) % BigInt(count)) === index;
  }

  /** Tells every app whose bot sees the place. */
  function tell(
    t: string,
    channel: SimulatedChannel,
    kind: 'MESSAGE' | 'REACTION' | undefined,
    dataFor: (app: SimulatedApp, sees: boolean) => Json,
  ): void {
    for (const session of sessions.values()) {
      const { app, intents } = session;
      const wanted = kind && (channel.guildId === undefined ? directIntents : guildIntents)[kind];
      if (!world.sees(app.id, channel) || !isFor(session, channel.guildId)) continue;
      if (wanted !== undefined && (intents & wanted) === 0) continue;
      dispatch(session, t, dataFor(app, (intents & messageContent) !== 0));
    }
  }

  function guildOnWire(guild: SimulatedGuild, appId: string): Json {
    const inGuild = [...world.channels.values()].filter(({ guildId }) => guildId === guild.id);
    const { roleId } = guild.bots.get(appId) ?? {};
    const described = ({ messages, ...channel }: SimulatedChannel) => {
      const { id, type, name, parentId, hidden, withoutHistory } = channel;
      const denied = (hidden.has(appId) ? viewChannel : 0) | (withoutHistory.has(appId) ? readHistory : 0);
      return {
        ...{ id, type, name, parent_id: parentId ?? null },
        // Hidden channels are told of as well, with what was said there last.
        last_message_id: [...messages.keys()].at(-1) ?? null,
        permission_overwrites:
          denied === 0 ? [] : [{ id: roleId, type: 0, allow: '0', deny: String(denied) }],
      };
    };
    return {
      id: guild.id,
      name: guild.name,
      unavailable: false,
      joined_at: guild.bots.get(appId)?.joinedAt,
      roles: [
        { id: guild.id, name: '@everyone', permissions: String(viewChannel | readHistory) },
        ...[...guild.bots].map(([botId, { roleId }]) => ({
          ...{ id: roleId, name: botId, tags: { bot_id: botId }, permissions: '0' },
        })),
      ],
      members: [{ user: userOnWire(world, appId), roles: [roleId] }],
      channels: inGuild.filter(({ type }) => type !== 11).map(described),
      threads: inGuild.filter(({ type }) => type === 11).map(described),
    };
  }

  return {
    upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
      server.handleUpgrade(request, connection, head, accept);
    },

    startLimit: () => ({
      total: 1_000,
      remaining: Math.max(limit, 0),
      reset_after: 3_600_000,
      max_concurrency: maxConcurrency,
    }),
    tellMessage: (t: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: SimulatedMessage) =>
      tell(t, world.channel(message.channelId), 'MESSAGE', (app, sees) =>
        messageOnWire(world, message, app, sees),
      ),
    tellDeletion: ({ id, channelId }: SimulatedMessage) => {
      const channel = world.channel(channelId);
      tell('MESSAGE_DELETE', channel, 'MESSAGE', () => ({
        id,
        channel_id: channelId,
        ...guildIdOf(channel),
      }));
    },
    tellReaction(name: string, user: string, message: SimulatedMessage, added: boolean): void {
      const channel = world.channel(message.channelId);
      tell(added ? 'MESSAGE_REACTION_ADD' : 'MESSAGE_REACTION_REMOVE', channel, 'REACTION', () => ({
        ...{ user_id: user, channel_id: channel.id, message_id: message.id, ...guildIdOf(channel) },
        emoji: { id: null, name },
        message_author_id: message.author,
      }));
    },
    tellThread: (thread: SimulatedChannel, owner: string) =>
      tell('THREAD_CREATE', thread, undefined, () => ({
        ...{ id: thread.id, type: 11, name: thread.name, parent_id: thread.parentId, ...guildIdOf(thread) },
        ...{ owner_id: owner, newly_created: true },
      })),
    tellInteraction(appId: string, guildId: string | undefined, data: Json): boolean {
      const session = openOf(appId).find((one) => isFor(one, guildId));
      if (session) dispatch(session, 'INTERACTION_CREATE', data);
      return session !== undefined;
    },
    tellJoin(guild: SimulatedGuild, appId: string): void {
      for (const session of ofApp(appId))
        if (isFor(session, guild.id)) dispatch(session, 'GUILD_CREATE', guildOnWire(guild, appId));
    },
    tellLeave(guildId: string, appId: string, unavailable: boolean): void {
      for (const session of ofApp(appId))
        if (isFor(session, guildId))
          dispatch(session, 'GUILD_DELETE', { id: guildId, ...(unavailable && { unavailable }) });
    },
    /** Anything, to every session of an app. */
    tellRaw: (appId: string, t: string, d: Json) => {
      for (const session of ofApp(appId)) dispatch(session, t, d);
    },

    open: (appId: string) => openOf(appId).length,
    most: (appId: string) => most.get(appId) ?? 0,
    shards: (appId: string) =>
      openOf(appId)
        .map(({ shard: [index] }) => index)
        .toSorted((a, b) => a - b),
    identifies: (appId: string) => identifies.filter((one) => one.appId === appId),
    resumes: (appId: string) => resumes.filter((one) => one.appId === appId),
    /** Cuts the connection, as a network does. */
    drop: (appId: string) => {
      for (const { socket } of openOf(appId)) socket?.terminate();
    },
    close: (appId: string, code: number) => {
      for (const { socket } of openOf(appId)) socket?.close(code);
    },
    /** Every identify is answered by closing with the code, until there is none any more. */
    refuse: (appId: string, code: number | undefined) => {
      if (code === undefined) refusing.delete(appId);
      else refusing.set(appId, code);
    },
    askToReconnect: (appId: string) => {
      for (const { socket } of openOf(appId)) socket?.send('{"op":7,"d":null}');
    },
    invalidate(appId: string, isResumable = false): void {
      for (const session of openOf(appId)) {
        if (!isResumable) sessions.delete(session.id);
        session.socket?.send(JSON.stringify({ op: 9, d: isResumable }));
      }
    },
    /** No heartbeat is acknowledged any more. */
    freeze: (appId: string, isFrozen = true) => void (isFrozen ? frozen.add(appId) : frozen.delete(appId)),
    /** Sessions end without a word: what is resumed later is invalid. */
    forget: (appId: string) => {
      for (const { id, socket } of ofApp(appId)) {
        sessions.delete(id);
        socket?.terminate();
      }
    },
    end(): void {
      for (const socket of connections) socket.terminate();
      server.close();
    },
  };
}

function guildIdOf({ guildId }: SimulatedChannel): Json {
  return guildId === undefined ? {} : { guild_id: guildId };
}
