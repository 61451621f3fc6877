import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import express, { type Express, type Router } from 'express';
import helmet from 'helmet';
import { newId } from '#domain/ids.ts';
import { withContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { answerNotFound, answerProblem } from './problem-handler.ts';

export type HttpParts = {
  logger: Logger;
  metrics: Metrics;
  trustedProxies: readonly string[];
  /** Where each router is mounted, in order. */
  routes: readonly { path: string; router: Router }[];
};

/** The HTTP application: request ids, security headers, the routers it is handed, and problem+json for whatever goes wrong. */
export function createHttpApp({ logger, metrics, trustedProxies, routes }: HttpParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustedProxies.length > 0 ? [...trustedProxies] : false);
  app.use((_request, response, next) => {
    const requestId = newId();
    response.setHeader('X-Request-Id', requestId);
    withContext({ requestId }, next);
  });
  // Nothing may run, load or frame unless a page says otherwise for itself.
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
    }),
  );
  for (const { path, router } of routes) app.use(path, router);
  app.use(answerNotFound);
  app.use(answerProblem(logger, metrics));
  return app;
}

/** Slow or silent clients are let go: whole headers within 10 s, a whole request within 30 s. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;

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
  server.closeIdleConnections();
  // Browsers connect in advance, and Node does not count as idle what has not had a request yet.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
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
