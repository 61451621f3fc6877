import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { createHttpApp } from '../http/http-app.ts';
import { webhookRoutes } from './webhook-router.ts';

async function aRouter() {
  const router = webhookRoutes({
    gateways: [],
    pages: { slack: async () => ({ status: 200, headers: {}, body: 'a page' }) },
    receiveWebhook: { receive: async () => undefined } as never,
    publicUrl: () => 'https://chat.example',
  });
  const app = createHttpApp({
    logger: createLogger('silent'),
    metrics: createMetrics(async () => []),
    trustedProxies: [],
    routes: [{ path: '/', router }],
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
}

test('a platform has its page', async () => {
  const ask = await aRouter();
  expect((await ask('/webhooks/slack/install')).status).toBe(200);
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'discord'])(
  'what every object has is no platform: %s',
  async (name) => {
    const ask = await aRouter();
    expect((await ask(`/webhooks/${name}/install`)).status).toBe(404);
  },
);
