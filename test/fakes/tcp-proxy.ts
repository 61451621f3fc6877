import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** How a server is away: `refused` as when its process is gone, `silent` as when its network is. */
export type Away = 'refused' | 'silent';

/** Stands before a server and passes everything on, until a test takes the server away. */
export async function startTcpProxy(target: { host: string; port: number }) {
  const sockets = new Set<Socket>();
  let away: Away | undefined;

  const server = createServer((near) => {
    if (away === 'refused') return void near.destroy();
    const far = connect(target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!away) to.write(chunk);
      });
      from.on('error', () => {});
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    takeAway(how: Away): void {
      away = how;
      if (how === 'refused') cut();
    },
    /** Connections from before do not come back: what went through them meanwhile is lost. */
    bringBack(): void {
      away = undefined;
      cut();
    },
    async close(): Promise<void> {
      cut();
      await server[Symbol.asyncDispose]();
    },
  };
}
