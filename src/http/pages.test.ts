import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { createHttpApp } from './http-app.ts';
import { type PagesParts, pageRoutes } from './pages.ts';

/** The pages of a widget that was built, on a gateway where hosts lead to what is said. */
async function aGateway(parts: Pick<PagesParts, 'hostLeadsTo' | 'hasDemo'>) {
  const directory = await mkdtemp(join(tmpdir(), 'pages-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'demo'));
  for (const page of ['index', 'chat'])
    await writeFile(join(directory, 'demo', `${page}.html`), `the ${page}`);
  const app = createHttpApp({
    logger: createLogger('silent'),
    metrics: createMetrics(async () => []),
    trustedProxies: [],
    routes: [{ path: '/', router: pageRoutes({ directory, ...parts }) }],
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return [response.status, response.status === 200 ? await response.text() : ''];
  };
}

test.each<['chat' | 'nothing' | 'installation', boolean, number, string]>([
  ['installation', true, 200, 'the index'],
  ['installation', false, 404, ''],
  ['chat', true, 200, 'the chat'],
  ['chat', false, 200, 'the chat'],
  ['nothing', true, 404, ''],
])('a host that leads to %s, with a demo or without one (%s): %i %s', async (leadsTo, demo, status, text) => {
  const hosts: (string | undefined)[] = [];
  const ask = await aGateway({
    hasDemo: async () => demo,
    hostLeadsTo: async (host) => {
      hosts.push(host);
      return leadsTo;
    },
  });
  expect(await ask()).toEqual([status, text]);
  expect(hosts).toEqual(['127.0.0.1']);
});
