import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Env } from '#config/env.ts';
import type { Note, Order } from './orders.ts';

export type RoleProcess = Awaited<ReturnType<typeof startRoleProcess>>;

const root = join(import.meta.dirname, '../..');
const preload = pathToFileURL(join(import.meta.dirname, 'process-preload.ts')).href;
const readyWithinMs = 60_000;
/** A supervisor does not start a process again in a hot loop. */
const restartPauseMs = 250;
const outputLinesMax = 20_000;

/**
 * A process of the service, `swarmgate start` with a role of its own, under a supervisor as an orchestrator is one: when
 * it ends, whatever the reason, it is started again.
 */
export async function startRoleProcess(name: string, env: Env) {
  const output: string[] = [];
  /** Ends that nobody ordered, of processes that had been at work. */
  const unexpectedEnds: string[] = [];
  let child: ChildProcess | undefined;
  let port: number | undefined;
  let ready = Promise.withResolvers<void>();
  let isKilled = false;
  let isClosing = false;
  const fallListeners = new Set<(note: Note) => void>();

  function begin(): void {
    isKilled = false;
    const begun = spawn(process.execPath, ['--import', preload, 'bin/swarmgate.js', 'start'], {
      cwd: root,
      env: { ...cleanEnvironment(), ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = begun;
    begun.stdout?.on('data', keepOutput);
    begun.stderr?.on('data', keepOutput);
    begun.on('message', (note: Note) => {
      for (const listener of fallListeners) listener(note);
    });
    begun.once('exit', (code, signal) => void end(signal ?? `code ${code}`));
  }

  async function end(how: string): Promise<void> {
    const wasReady = port !== undefined;
    if (wasReady && !isKilled && how !== 'SIGKILL' && !isClosing) unexpectedEnds.push(how);
    port = undefined;
    ready.promise.catch(() => {});
    if (wasReady) ready = Promise.withResolvers();
    if (isClosing) return;
    await sleep(restartPauseMs);
    if (!isClosing) begin();
  }

  let unfinished = '';
  function keepOutput(chunk: Buffer): void {
    const lines = (unfinished + chunk.toString()).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      output.push(line);
      const told = /"port":(\d+).*"msg":"ready"/.exec(line)?.[1];
      if (!told) continue;
      port = Number(told);
      ready.resolve();
    }
    if (output.length > outputLinesMax) output.splice(0, output.length - outputLinesMax);
  }

  begin();
  const isReady = async () => {
    const deadline = sleep(readyWithinMs, undefined, { ref: false }).then(() => {
      throw new Error(`${name} was not ready in time:\n${output.slice(-20).join('\n')}`);
    });
    await Promise.race([ready.promise, deadline]);
  };

  return {
    name,
    output,
    unexpectedEnds,
    /** Begins anew with what it has said and how it has ended. */
    forget(): void {
      output.length = 0;
      unexpectedEnds.length = 0;
    },
    /** Where it listens; `undefined` while it is away. */
    port: () => port,
    isReady,
    /** A process that has just died hears nothing, and is no fault of the runner's. */
    order: (order: Order): boolean => child?.connected === true && child.send(order, () => {}),
    /** Is told when it falls at a point; answers how to be told no more. */
    onFall(listener: (note: Note) => void): () => void {
      fallListeners.add(listener);
      return () => void fallListeners.delete(listener);
    },
    /** Resolves when the process that runs now has ended. */
    async gone(): Promise<void> {
      const ending = child;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise((resolve) => ending.once('exit', resolve));
    },
    signal(signal: NodeJS.Signals): void {
      if (signal === 'SIGKILL') isKilled = true;
      child?.kill(signal);
    },
    async close(): Promise<void> {
      isClosing = true;
      const gone = this.gone();
      child?.kill('SIGKILL');
      await gone;
    },
  };
}

/** Nothing of the machine's own settings reaches the service, and nothing of npm, whose shell it would watch. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }), NODE_ENV: 'production' };
}
