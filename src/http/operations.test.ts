import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Router } from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { createHttpApp } from './http-app.ts';
import { operationsRoutes } from './operations.ts';

/** Asks for the metrics, as from an address. */
async function ask(
  { token, from = '127.0.0.1' }: { token?: string; from?: string },
  headers: Record<string, string> = {},
): Promise<number> {
  const metrics = createMetrics(async () => []);
  const away = Router().use((request, _response, next) => {
    Object.defineProperty(request.socket, 'remoteAddress', { value: from });
    next();
  });
  const router = operationsRoutes({
    metrics,
    metricsToken: token,
    checkReadiness: async () => ({ ready: true, degraded: false, checks: {} }),
  });
  const app = createHttpApp({
    ...{ logger: createLogger('silent'), metrics, trustedProxies: [] },
    routes: [
      { path: '/', router: away },
      { path: '/', router },
    ],
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).status;
}

test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])(
  'without a token the metrics are for this machine: %s',
  async (from) => {
    expect(await ask({ from })).toBe(200);
  },
);

test.each(['10.0.0.5', '2001:db8::1', '::ffff:172.17.0.1', ''])('and for nobody else: %j', async (from) => {
  expect(await ask({ from })).toBe(401);
});

test.each(['x-forwarded-for', 'forwarded'])('nor for whom a proxy of this machine asks: %s', async (name) => {
  expect(await ask({}, { [name]: '127.0.0.1' })).toBe(401);
});

test('with a token they are for whoever has it, and only for them', async () => {
  const token = 'a token of ours';
  const authorization = `Bearer ${token}`;
  expect(await ask({ token, from: '10.0.0.5' }, { authorization })).toBe(200);
  expect(await ask({ token })).toBe(401);
  expect(await ask({ token }, { authorization: `${authorization}s` })).toBe(401);
});
