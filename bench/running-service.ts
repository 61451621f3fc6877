import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type RunningService = Awaited<ReturnType<typeof startService>>;

/** Starts the service as a process of its own and waits until it listens. */
export async function startService(env: NodeJS.ProcessEnv) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['bin/swarmgate.js', 'start'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const port = /"port":(\d+)/.exec(seen)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
      seen = seen.slice(-2_000);
    });
    child.once('exit', (code) => reject(new Error(`The service ended with ${code} before it was ready.`)));
  });
  return {
    url,
    readyInMs: performance.now() - startedAt,
    /** What the process has in memory, in MB; only where the system tells (Linux). */
    memoryMb(): number {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    },
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Runs `swarmgate apply` on a document. */
export async function applyDocument(env: NodeJS.ProcessEnv, folder: string, yaml: string): Promise<void> {
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, yaml);
  const child = spawn(process.execPath, ['bin/swarmgate.js', 'apply', file], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`apply ended with ${code}`);
}
