import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is wrong with the network between a process and a server. */
export type LinkFault =
  /** Each piece takes so much longer. */
  | { how: 'delay'; delayMs: number }
  /** A few bytes at a time. */
  | { how: 'trickle'; bytesPerSecond: number }
  /** Connections are reset and new ones refused, as when the server's process is gone. */
  | { how: 'refused' }
  /** Nothing arrives, and nobody is told; when it heals, what was on its way arrives, as TCP has it. */
  | { how: 'blackhole' }
  /** Connections look open and are dead: what is said on them is lost. New ones work. They are reset when it heals. */
  | { how: 'half-open' };

export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

type Connection = { near: Socket; far: Socket; isDead: boolean };

const pieceMs = 50;

/**
 * Stands before a server on loopback and passes everything on, unless it is told to be a bad network. `target` is asked
 * for each connection, because a server may come back on another port.
 */
export async function startFaultProxy(target: () => { host: string; port: number } | undefined) {
  const connections = new Set<Connection>();
  let fault: LinkFault | undefined;
  let healed = Promise.withResolvers<void>();

  const server = createServer({ pauseOnConnect: true }, (near) => {
    near.on('error', () => {});
    const at = fault?.how === 'refused' ? undefined : target();
    if (!at) return void near.resetAndDestroy();
    const far = connect(at);
    far.on('error', () => {});
    const connection: Connection = { near, far, isDead: false };
    connections.add(connection);
    near.once('close', () => {
      connections.delete(connection);
      far.destroy();
    });
    far.once('close', () => near.destroy());
    near.resume();
    void pass(connection, near, far);
    void pass(connection, far, near);
  });

  async function pass(connection: Connection, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) await carry(connection, to, chunk as Buffer);
      to.end();
    } catch {
      // One side has broken off, and its end closes the other one.
    }
  }

  async function carry(connection: Connection, to: Socket, chunk: Buffer): Promise<void> {
    // A connection that was closed meanwhile has taken what was on its way with it.
    while (fault?.how === 'blackhole') await Promise.race([healed.promise, once(to, 'close')]);
    if (connection.isDead || to.destroyed) return;
    if (fault?.how === 'delay') await Promise.race([sleep(fault.delayMs), healed.promise]);
    if (fault?.how === 'trickle') return trickle(to, chunk, fault.bytesPerSecond);
    await write(to, chunk);
  }

  async function trickle(to: Socket, chunk: Buffer, bytesPerSecond: number): Promise<void> {
    const pieceBytes = Math.max(1, Math.round((bytesPerSecond * pieceMs) / 1_000));
    for (let from = 0; from < chunk.length; from += pieceBytes) {
      if (fault?.how !== 'trickle') return write(to, chunk.subarray(from));
      await write(to, chunk.subarray(from, from + pieceBytes));
      await sleep(pieceMs);
    }
  }

  const reset = (whose: (connection: Connection) => boolean = () => true) => {
    for (const connection of connections) {
      if (!whose(connection)) continue;
      connection.near.resetAndDestroy();
      connection.far.resetAndDestroy();
    }
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    /** From now on, in the place of what was wrong before. */
    impose(next: LinkFault): void {
      fault = next;
      if (next.how === 'refused') reset();
      if (next.how === 'half-open') for (const connection of connections) connection.isDead = true;
    },
    heal(): void {
      fault = undefined;
      healed.resolve();
      healed = Promise.withResolvers();
      reset(({ isDead }) => isDead);
    },
    /** Resets every connection, once. */
    reset: () => reset(),
    async close(): Promise<void> {
      fault = undefined;
      healed.resolve();
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}

async function write(to: Socket, chunk: Buffer): Promise<void> {
  if (to.write(chunk) || to.destroyed) return;
  await Promise.race([once(to, 'drain'), once(to, 'close')]);
}
