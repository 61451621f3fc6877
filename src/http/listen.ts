import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';

/** Slow or silent clients are let go: whole headers within 10 s, a whole request within 30 s. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const idleCheckMs = 50;

export type Listening = {
  port: number;
  /** Takes no more requests, waits for those at work at most `timeoutMs`, then drops what is left. */
  stop(timeoutMs: number): Promise<void>;
};

/**
 * Listens. When the port was not chosen by anybody and is busy, takes the next free one.
 * @throws the socket's error when a chosen port is busy or the host is not ours.
 */
export async function listen(
  app: Express,
  host: string,
  port: { number: number; chosen: boolean },
): Promise<Listening> {
  for (let number = port.number; ; number++) {
    const server = createServer({ headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }, app);
    const sockets = trackSockets(server);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(number, host, resolve);
      });
      const address = server.address();
      return {
        port: typeof address === 'object' && address ? address.port : number,
        stop: (timeoutMs) => stop(server, sockets, timeoutMs),
      };
    } catch (error) {
      const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!busy || port.chosen || number - port.number >= 100) throw error;
    }
  }
}

async function stop(server: Server, sockets: ReadonlySet<Socket>, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = () => {
    server.closeIdleConnections();
    // Browsers connect in advance, and Node does not count as idle what has not had a request yet.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  closeIdle();
  // What becomes idle meanwhile would otherwise stay until its keep-alive runs out.
  const again = setInterval(closeIdle, idleCheckMs);
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(again);
  clearTimeout(timer);
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
