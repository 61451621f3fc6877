import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { WebSocketShard } from '@discordjs/ws';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { openShardSocket } from './shard-socket.ts';

/** A socket to a server that takes connections and says nothing, and what came to nobody. */
async function toASilentServer() {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.resume();
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', note);
  onTestFinished(() => void process.off('uncaughtException', note));
  const connect = vi.spyOn(WebSocketShard.prototype, 'connect');
  onTestFinished(() => connect.mockRestore());
  const socket = openShardSocket({
    ...{ applicationId: '900', account: '', botToken: 'token', shard: 0, shardCount: 1, intents: 0 },
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    session: () => undefined,
    ...{ onSession: () => {}, onEvent: () => {}, onOpen: () => {}, onClosed: () => {} },
    admit: async () => {},
    waitToIdentify: async () => {},
    logger: createLogger('silent'),
  });
  await eventually(() => expect(connections).toHaveLength(1));
  return { socket, connections, uncaught, shard: connect.mock.contexts.at(-1) as WebSocketShard | undefined };
}

test('a socket that is closed while it is being opened fails nowhere', async () => {
  const { socket, connections, uncaught } = await toASilentServer();
  await socket.close();
  await eventually(() => expect(connections[0]?.destroyed).toBe(true));
  expect(uncaught).toEqual([]);
});

test('nor does one that the SDK has given up, and that fails later', async () => {
  const { socket, connections, uncaught, shard } = await toASilentServer();
  await shard?.destroy({ code: 1_000 });
  connections[0]?.destroy();
  const connection = shard && Reflect.get(shard, 'connection');
  await eventually(() => expect(connection).toMatchObject({ readyState: 3 }));
  await socket.close();
  expect(uncaught).toEqual([]);
});
