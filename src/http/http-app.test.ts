import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express, { Router } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { createHttpApp } from './http-app.ts';
import { listen } from './listen.ts';

/** The application as it listens, around a route that answers, one that throws, and one that says who calls. */
async function anApp(trustedProxies: readonly string[] = []) {
  const router = Router();
  router.get('/answers', (_request, response) => void response.json({}));
  router.get('/throws', () => {
    throw new TypeError('a bug');
  });
  router.post('/reads', express.json(), (request, response) => void response.json({ read: request.body }));
  router.get('/address', (request, response) => void response.json(request.ip));
  const app = createHttpApp({
    logger: createLogger('silent'),
    metrics: createMetrics(async () => []),
    trustedProxies,
    routes: [{ path: '/', router }],
  });
  const { port, stop } = await listen(app, '127.0.0.1', { number: 0, chosen: true });
  onTestFinished(() => stop(0));
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  /** Sends bytes as they are, and answers with all that comes back. */
  const say = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    return text(socket);
  };
  return { ask, say };
}

test.each(['/answers', '/throws', '/nowhere'])(
  'what a browser may do with an answer is said: %s',
  async (path) => {
    const { ask } = await anApp();
    const { headers } = await ask(path);
    const [, maxAge = ''] =
      /^max-age=(\d+); includeSubDomains$/.exec(headers.get('strict-transport-security') ?? '') ?? [];
    expect(Number(maxAge)).toBeGreaterThanOrEqual(365 * 24 * 60 * 60);
    expect(headers.get('content-security-policy')?.split(';').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "object-src 'none'",
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('content-type')).toMatch(/charset=utf-8$/);
  },
);

test.each(['/throws', '/nowhere'])('a problem is kept in no cache: %s', async (path) => {
  const { ask } = await anApp();
  expect((await ask(path)).headers.get('cache-control')).toBe('no-store');
});

test('nothing says what runs here', async () => {
  const { ask } = await anApp();
  const { headers } = await ask('/answers');
  expect([headers.get('x-powered-by'), headers.get('server')]).toEqual([null, null]);
});

test('TRACE sends nothing of a request back', async () => {
  const { say } = await anApp();
  const answer = await say(
    'TRACE /answers HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: a=secret\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).not.toContain('secret');
});

test.each([
  ['says its length twice', 'Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}'],
  [
    'has a length beside pieces',
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  ],
  ['has pieces of an unknown coding', 'Transfer-Encoding: chunked, odd\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
])('a request whose end can be read in two ways is not read: one that %s', async (_, rest) => {
  const { say } = await anApp();
  const answer = await say(`POST /reads HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${rest}`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('an address is what a trusted proxy says, and nobody else', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  const [alone, behind] = [await anApp(), await anApp(['loopback'])];
  expect(await (await alone.ask('/address', { headers })).json()).toBe('127.0.0.1');
  expect(await (await behind.ask('/address', { headers })).json()).toBe('203.0.113.7');
});
