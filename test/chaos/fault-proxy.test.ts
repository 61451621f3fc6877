import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startFaultProxy } from './fault-proxy.ts';

/** Long enough for what could arrive to have arrived. */
const quietMs = 100;

test('what is said passes in both directions, whole', async () => {
  const { connected } = await anEcho();
  const socket = await connected();
  const text = 'word '.repeat(100_000);
  socket.write(text);
  expect(await socket.hear(text.length)).toBe(text);
});

test('in a black hole nothing arrives and nobody is told; what was on its way arrives when it heals', async () => {
  const { proxy, connected } = await anEcho();
  const socket = await connected();
  proxy.impose({ how: 'blackhole' });
  socket.write('on its way');
  await sleep(quietMs);
  expect([socket.heard(), socket.destroyed]).toEqual(['', false]);
  proxy.heal();
  expect(await socket.hear(10)).toBe('on its way');
});

test('what was on its way goes with a connection that is closed meanwhile', async () => {
  const { proxy, connected, received } = await anEcho();
  const socket = await connected();
  proxy.impose({ how: 'blackhole' });
  socket.write('gone');
  await sleep(quietMs);
  socket.destroy();
  await sleep(quietMs);
  proxy.heal();
  await sleep(quietMs);
  expect(received()).toBe('');
});

test('half-open connections lose what is said, new ones work, and the old ones are reset at the end', async () => {
  const { proxy, connected, received } = await anEcho();
  const old = await connected();
  proxy.impose({ how: 'half-open' });
  old.write('lost');
  const young = await connected();
  young.write('heard');
  expect(await young.hear(5)).toBe('heard');
  expect([received(), old.destroyed]).toEqual(['heard', false]);
  const ended = closed(old);
  proxy.heal();
  await ended;
  young.write('!');
  expect(await young.hear(6)).toBe('heard!');
});

test('a server that refuses has reset what was open', async () => {
  const { proxy, connected } = await anEcho();
  const old = await connected();
  const ended = closed(old);
  proxy.impose({ how: 'refused' });
  await ended;
  await closed(connect(proxy.port, '127.0.0.1').on('error', () => {}));
  proxy.heal();
  const after = await connected();
  after.write('back');
  expect(await after.hear(4)).toBe('back');
});

test('a trickle is slow and loses nothing, and a delay delays', async () => {
  const { proxy, connected } = await anEcho();
  const socket = await connected();
  proxy.impose({ how: 'trickle', bytesPerSecond: 400 });
  const startedAt = performance.now();
  socket.write('x'.repeat(100));
  expect(await socket.hear(100)).toBe('x'.repeat(100));
  expect(performance.now() - startedAt).toBeGreaterThan(200);
  proxy.impose({ how: 'delay', delayMs: 150 });
  const askedAt = performance.now();
  socket.write('y');
  await socket.hear(101);
  expect(performance.now() - askedAt).toBeGreaterThan(250);
});

test('connections are reset while there is nobody behind it', async () => {
  const proxy = await startFaultProxy(() => undefined);
  onTestFinished(proxy.close);
  const socket = connect(proxy.port, '127.0.0.1').on('error', () => {});
  await closed(socket);
});

/** `once` would fail with the error of a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** A server that says back what it hears, behind the proxy. */
async function anEcho() {
  let heardByServer = '';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      heardByServer += chunk;
      socket.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startFaultProxy(() => ({ host: '127.0.0.1', port }));
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy.close();
    server.close();
  });

  return {
    proxy,
    received: () => heardByServer,
    async connected() {
      let heard = '';
      const socket = connect(proxy.port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {}).on('data', (chunk: Buffer) => (heard += chunk));
      await once(socket, 'connect');
      return Object.assign(socket, {
        heard: () => heard,
        /** Waits until so many bytes have been heard, all told. */
        async hear(bytes: number): Promise<string> {
          while (heard.length < bytes) await once(socket, 'data');
          return heard;
        },
      });
    },
  };
}
