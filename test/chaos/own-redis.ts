import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const answersWithinMs = 10_000;

/** Ends Redis when its own standard input ends: when it is told to, and when whoever started it is gone, however that ended. */
const keeper = 'redis-server "$@" & cat >/dev/null; kill -KILL $!';

/** A Redis server of our own on a free port, that may be emptied and killed without harm to anybody. It keeps nothing on disk. */
export async function startOwnRedis() {
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    if (isRunning(child)) return;
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    child = spawn('sh', ['-c', keeper, 'sh', ...options], { stdio: ['pipe', 'ignore', 'ignore'] });
    await answers(port).catch((error: unknown) => {
      throw new Error('redis-server does not start: is it installed?', { cause: error });
    });
  }

  async function kill(): Promise<void> {
    if (!isRunning(child)) return;
    const ended = once(child, 'exit');
    child.stdin?.end();
    await ended;
  }

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    /** It comes back empty; one that runs goes on. */
    start,
    kill,
    flush: () => withClient(port, (client) => client.flushall()),
  };
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

async function answers(port: number): Promise<void> {
  const giveUpAt = performance.now() + answersWithinMs;
  for (;;) {
    try {
      await withClient(port, (client) => client.ping());
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(25);
    }
  }
}

async function withClient<T>(port: number, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
