import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** How a server is away: `refused` as when its process is gone, `silent` as when its network is. */
export type Away = 'refused' | 'silent';

/** Stands before a server and passes everything on, until a test takes the server away. */
export async function startTcpProxy(target: { host: string; port: number }) {
  const connections = new Set<{ near: Socket /** What was asked through it. */; said: string }>();
  let away: Away | undefined;

  const server = createServer((near) => {
    if (away === 'refused') return void near.destroy();
    const far = connect(target);
    const connection = { near, said: '' };
    connections.add(connection);
    near.on('data', (chunk) => {
      connection.said += chunk;
      if (away !== 'silent') far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (away !== 'silent') near.write(chunk);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => {});
      socket.once('close', () => {
        connections.delete(connection);
        other.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = (whose: RegExp) => {
    for (const { near, said } of connections) if (whose.test(said)) near.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    /** From everybody, or from those connections through which a word was said. */
    takeAway(how: Away, whose = /./): void {
      away = how;
      if (how === 'refused') cut(whose);
    },
    /** Connections that were silent do not come back: what went through them meanwhile is lost. */
    bringBack(): void {
      if (away === 'silent') cut(/./);
      away = undefined;
    },
    async close(): Promise<void> {
      cut(/^/);
      await server[Symbol.asyncDispose]();
    },
  };
}
