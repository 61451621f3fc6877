import { once } from 'node:events';
import { type ClientRequest, createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, expect, test, vi } from 'vitest';
import { newId } from '#domain/ids.ts';
import { createRateLimit } from '#metering/rate-limiter.ts';
import type { Transcripts } from '../journey.ts';
import { streamEvents } from './events.ts';
import type { WebChatParts } from './parts.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

type Changes = Transcripts['changes'];

/** The route alone, for one visitor, over a transcript that the test answers for. */
async function aRoute(changes: Changes) {
  const visitor = { tenantId: newId(), channelId: newId(), conversationId: newId(), externalId: 'visitor:1' };
  const unsubscribe = vi.fn();
  const subscribe = vi.fn(async () => unsubscribe);
  const parts = {
    tokens: { check: async () => ({ ok: true, visitor }) },
    channels: { find: async () => ({ status: 'active', tenantStatus: 'active' }) },
    hosts: { tenantOf: async () => undefined },
    transcripts: { changes },
    live: { publish: () => {}, subscribe },
    rateLimit: createRateLimit(),
    stop: new AbortController().signal,
  } as unknown as WebChatParts;
  const app = express().get('/events', streamEvents(parts));
  app.use((error: { status: number }, _request: unknown, response: express.Response, _next: unknown) => {
    response.sendStatus(error.status);
  });
  server = createServer(app);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = (): ClientRequest => {
    const request = get({ port, host: '127.0.0.1', path: '/events', headers: { authorization: 'Bearer t' } });
    return request.on('error', () => {});
  };
  return { connect, subscribe, unsubscribe };
}

const answered = async (request: ClientRequest) => (await once(request, 'response'))[0] as IncomingMessage;

test('a page that leaves while its stream is being opened leaves nothing behind', async () => {
  const answer = Promise.withResolvers<Awaited<ReturnType<Changes>>>();
  const changes = vi.fn<Changes>(() => answer.promise);
  const { connect, subscribe } = await aRoute(changes);
  const early = Array.from({ length: 12 }, connect);
  await vi.waitUntil(() => changes.mock.calls.length === early.length);
  for (const request of early) request.destroy();
  await vi.waitUntil(async () => (await connectionCount()) === 0);
  answer.resolve({ head: 0, changes: [] });
  await new Promise(setImmediate);
  expect(subscribe).not.toHaveBeenCalled();
  // None of them counts: a visitor may have ten.
  const response = await answered(connect());
  expect(response.statusCode).toBe(200);
  expect(subscribe).toHaveBeenCalledTimes(1);
});

const connectionCount = () =>
  new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));

test('a visitor may have ten streams, and another one once one of them has ended', async () => {
  const { connect, unsubscribe } = await aRoute(async () => ({ head: 0, changes: [] }));
  const open = await Promise.all(Array.from({ length: 10 }, () => answered(connect())));
  expect(open.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
  expect((await answered(connect())).statusCode).toBe(429);
  open[0]?.destroy();
  await vi.waitUntil(() => unsubscribe.mock.calls.length === 1);
  expect((await answered(connect())).statusCode).toBe(200);
});

test('a visitor opens 120 streams in a minute at most', async () => {
  const { connect } = await aRoute(async () => ({ head: 0, changes: [] }));
  const statuses: (number | undefined)[] = [];
  for (let count = 0; count < 125; count++) {
    const request = connect();
    const response = await answered(request);
    statuses.push(response.statusCode);
    request.destroy();
    await vi.waitUntil(async () => (await connectionCount()) === 0, { interval: 1 });
  }
  expect(statuses).toEqual([...Array(120).fill(200), ...Array(5).fill(429)]);
});
