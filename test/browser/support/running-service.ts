import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';

export type RunningService = {
  url: string;
  /** What leads a command to its data. */
  env: { DATA_DIR: string };
  /** What it has printed since it was last started. */
  output: () => string;
  /** Ends the process at once, as a power switch does, and starts another one on the same data and port. */
  killAndRestart: () => Promise<void>;
  stop: () => Promise<void>;
};

const startTimeoutMs = 60_000;

/** Starts the service as a newcomer does: one process, embedded defaults, an empty data folder. */
export async function startService(): Promise<RunningService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-browser-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  let running = await launch(dataDir, port, url);
  return {
    url,
    env: { DATA_DIR: dataDir },
    output: () => running.output(),
    async killAndRestart() {
      running.process.kill('SIGKILL');
      await once(running.process, 'exit');
      running = await launch(dataDir, port, url);
    },
    async stop() {
      running.process.kill('SIGTERM');
      await once(running.process, 'exit');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function launch(dataDir: string, port: number, url: string) {
  const service = spawn(process.execPath, ['bin/swarmgate.js', 'start'], {
    env: { PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [service.stdout, service.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  await eventually(async () => {
    if (service.exitCode !== null) throw new Error(`The service has ended:\n${output}`);
    const ready = await fetch(`${url}/readyz`);
    if (!ready.ok) throw new Error(`Not ready: ${ready.status}\n${output}`);
  }, startTimeoutMs);
  return { process: service, output: () => output };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (!address || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}
