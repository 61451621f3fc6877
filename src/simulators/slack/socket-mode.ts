import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isJson, type Json, textOf } from './json.ts';

/** Socket Mode (https://docs.slack.dev/apis/events-api/using-socket-mode). */

export type EnvelopeType = 'events_api' | 'interactive' | 'slash_commands';

export type Envelope = { type: EnvelopeType; payload: Json; retryNum: number; retryReason: string };

/** What came back: the payload of the acknowledgement; `undefined` when there was none in time. */
export type Acknowledgement = { payload: Json } | undefined;

export type Sockets = ReturnType<typeof createSockets>;

const socketsMax = 10;
const pingIntervalMs = 10_000;

export function createSockets(parts: { url: () => string; deadlineMs: number }) {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Map<string, string>();
  const open = new Map<string, WebSocket[]>();
  const most = new Map<string, number>();
  const waiting = new Map<string, { socket: WebSocket; answer: (payload: Json | undefined) => void }>();
  let turn = 0;

  const ping = setInterval(() => {
    for (const socket of [...open.values()].flat()) socket.ping();
  }, pingIntervalMs);
  ping.unref();

  function join(appId: string, socket: WebSocket): void {
    const sockets = open.get(appId) ?? [];
    if (sockets.length >= socketsMax) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets' }));
      socket.close();
      return;
    }
    sockets.push(socket);
    open.set(appId, sockets);
    most.set(appId, Math.max(sockets.length, most.get(appId) ?? 0));
    socket.on('message', (data) => hear(socket, String(data)));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => leave(appId, socket));
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: sockets.length,
        connection_info: { app_id: appId },
        debug_info: { host: 'applink-simulator', approximate_connection_time: 18_060 },
      }),
    );
  }

  function hear(socket: WebSocket, text: string): void {
    const said = parse(text);
    const id = textOf(said['envelope_id']);
    const waited = waiting.get(id);
    if (waited?.socket !== socket) return;
    waiting.delete(id);
    waited.answer(isJson(said['payload']) ? said['payload'] : {});
  }

  function leave(appId: string, socket: WebSocket): void {
    open.set(
      appId,
      (open.get(appId) ?? []).filter((other) => other !== socket),
    );
    for (const [id, waited] of waiting) {
      if (waited.socket !== socket) continue;
      waiting.delete(id);
      waited.answer(undefined);
    }
  }

  return {
    /** An address that can be connected to once. */
    newLink(appId: string): string {
      const ticket = randomBytes(16).toString('hex');
      tickets.set(ticket, appId);
      return `${parts.url().replace(/^http/, 'ws')}/link?ticket=${ticket}&app_id=${appId}`;
    },

    upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
      const { pathname, searchParams } = new URL(request.url ?? '/', parts.url());
      const ticket = searchParams.get('ticket') ?? '';
      const appId = tickets.get(ticket);
      if (pathname !== '/link' || appId === undefined) {
        connection.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
        return;
      }
      tickets.delete(ticket);
      server.handleUpgrade(request, connection, head, (socket) => join(appId, socket));
    },

    count: (appId: string): number => open.get(appId)?.length ?? 0,
    /** How many were ever open at the same time. */
    most: (appId: string): number => most.get(appId) ?? 0,

    /** Sends to one of the app's sockets, each in turn, and waits for the acknowledgement. */
    async send(appId: string, envelope: Envelope): Promise<Acknowledgement> {
      const sockets = open.get(appId) ?? [];
      turn += 1;
      const socket = sockets[turn % sockets.length];
      if (!socket) return undefined;
      const id = randomUUID();
      const answered = new Promise<Json | undefined>((answer) => waiting.set(id, { socket, answer }));
      const timer = setTimeout(() => {
        waiting.get(id)?.answer(undefined);
        waiting.delete(id);
      }, parts.deadlineMs);
      socket.send(
        JSON.stringify({
          envelope_id: id,
          type: envelope.type,
          payload: envelope.payload,
          accepts_response_payload: envelope.type !== 'events_api',
          ...(envelope.type === 'events_api' && {
            retry_attempt: envelope.retryNum,
            retry_reason: envelope.retryReason,
          }),
        }),
      );
      const payload = await answered;
      clearTimeout(timer);
      return payload && { payload };
    },

    /** Tells the app to open another socket. `warning` comes first; after `refresh_requested` the socket is closed soon. */
    disconnect(appId: string, reason: 'warning' | 'refresh_requested' | 'link_disabled'): void {
      for (const socket of open.get(appId) ?? [])
        socket.send(
          JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-simulator' } }),
        );
    },

    /** Cuts the connections without a word. */
    drop(appId: string): void {
      for (const socket of open.get(appId) ?? []) socket.terminate();
    },

    close(): void {
      clearInterval(ping);
      for (const socket of [...open.values()].flat()) socket.terminate();
      server.close();
    },
  };
}

function parse(text: string): Json {
  try {
    const said: unknown = JSON.parse(text);
    return isJson(said) ? said : {};
  } catch {
    return {};
  }
}
