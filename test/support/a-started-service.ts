import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import type { Env } from '#config/env.ts';
import { program } from './a-command.ts';
import { eventually } from './eventually.ts';

/** Runs `swarmgate start` as an operator would, in a process of its own; it is killed with the test if it still runs then. */
export async function aStartedService(env: Env) {
  const child = spawn(process.execPath, [program, 'start'], {
    // Without Redis: all that a service puts there begins the same, and the Redis of the tests is not theirs alone.
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env, REDIS_URL: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? (signal as NodeJS.Signals))),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });

  const listening = () => /"port":(\d+)/.exec(output)?.[1];
  await eventually(() => {
    if (listening() === undefined && child.exitCode === null)
      throw new Error(`It does not listen yet: ${output}`);
  });
  if (listening() === undefined) throw new Error(`It ended with ${child.exitCode}: ${output}`);
  return {
    url: `http://127.0.0.1:${listening()}`,
    output: () => output,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    /** Resolves when it is gone: with its exit code, or with what killed it. */
    ended,
  };
}
