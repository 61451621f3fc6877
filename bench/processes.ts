import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type RunningProcess = Awaited<ReturnType<typeof startProcess>>;

const root = join(import.meta.dirname, '..');

/**
 * Starts a script as a process of its own and waits for the port that it names in a line of JSON. BENCH_PROFILE, a folder,
 * gets a CPU profile of each.
 */
export async function startProcess(script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const startedAt = performance.now();
  const profile = process.env['BENCH_PROFILE'];
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const child = spawn(process.execPath, [...flags, script, ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await portOf(child, script);
  return {
    url: `http://127.0.0.1:${port}`,
    readyInMs: performance.now() - startedAt,
    /** What it has in memory, in MB; only where the system tells (Linux). */
    memoryMb: () =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    /** What it has computed since it began, in ms, in steps of 10; only on Linux. */
    cpuMs(): number {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
      return (Number(user) + Number(system)) * 10;
    },
    async stop(): Promise<void> {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function portOf(child: ChildProcess, script: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      seen = (seen + chunk.toString()).slice(-2_000);
      const port = /"port":(\d+)/.exec(seen)?.[1];
      if (port) resolve(Number(port));
    });
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it was ready.`)));
  });
}

/** Runs a script to its end. @throws when it fails. */
export async function runScript(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${script} ${args[0] ?? ''} ended with ${code}`);
}
