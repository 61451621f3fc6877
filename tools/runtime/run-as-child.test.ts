import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';

// The launcher in a process of its own, as a Node that is too old would run it, around a program given as text.
const parent = `
  const { runAsChild } = await import(${JSON.stringify(join(import.meta.dirname, 'run-as-child.js'))});
  runAsChild(process.execPath, ['--eval', process.argv[1]], process.env);`;

const started: ChildProcess[] = [];

afterEach(() => {
  for (const launcher of started.splice(0)) launcher.kill('SIGKILL');
});

test('the exit code is the one of the child', async () => {
  const { launcher } = launch('process.exit(7)');
  expect(await once(launcher, 'exit')).toEqual([7, null]);
});

test('a child that was killed makes the launcher end in the same way', async () => {
  const { launcher } = launch("process.kill(process.pid, 'SIGKILL')");
  expect(await once(launcher, 'exit')).toEqual([null, 'SIGKILL']);
});

test('a child that a signal ended makes the launcher end by that signal, though it listens to it', async () => {
  const { launcher } = launch("process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60_000)");
  expect(await once(launcher, 'exit')).toEqual([null, 'SIGTERM']);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
  '%s reaches the child once, and the launcher waits for it',
  async (signal) => {
    const { launcher, nextLine } = launch(`
    let received = 0;
    process.on('${signal}', () => {
      received += 1;
      if (received === 1) setTimeout(() => { console.log('received ' + received); process.exit(3); }, 200);
    });
    setTimeout(() => {}, 60_000);
    console.log('ready ' + process.pid);`);
    const pid = Number((await nextLine()).replace('ready ', ''));

    launcher.kill(signal);

    expect(await nextLine()).toBe('received 1');
    expect(await once(launcher, 'exit')).toEqual([3, null]);
    expect(isRunning(pid)).toBe(false);
  },
);

test('the child is told to end when the shell between npm and the launcher is gone', async () => {
  const program = `
    process.on('SIGHUP', () => { console.log('told to end'); process.exit(); });
    setTimeout(() => {}, 60_000);
    console.log('ready');`;
  const commandLine = [process.execPath, '--input-type=module', '--eval', parent, program]
    .map(quoted)
    .join(' ');
  // The trailing command keeps the shell from handing its own process over to the launcher.
  const { launcher: shell, nextLine } = start('sh', ['-c', `${commandLine}; true`], {
    npm_lifecycle_event: 'start',
  });
  expect(await nextLine()).toBe('ready');

  shell.kill('SIGTERM');

  expect(await nextLine()).toBe('told to end');
  expect(await nextLine()).toBe('(no more lines)'); // nobody is left who could write one
});

test('a program that cannot be started is one clear line', async () => {
  const script = parent.replace('process.execPath', "'/nowhere/node'");
  const launcher = spawn(process.execPath, ['--input-type=module', '--eval', script, ''], { stdio: 'pipe' });
  started.push(launcher);
  const exit = once(launcher, 'exit');
  const text = (await launcher.stderr.toArray()).join('');
  expect(text).toBe('/nowhere/node cannot be run on this machine: spawn /nowhere/node ENOENT\n');
  expect(await exit).toEqual([1, null]);
});

type Started = { launcher: ChildProcess; nextLine: () => Promise<string> };

function launch(program: string): Started {
  return start(process.execPath, ['--input-type=module', '--eval', parent, program], {});
}

function start(command: string, commandArguments: string[], environment: NodeJS.ProcessEnv): Started {
  const launcher = spawn(command, commandArguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_lifecycle_event: undefined, ...environment },
  });
  started.push(launcher);
  const lines = createInterface({ input: launcher.stdout })[Symbol.asyncIterator]();
  return { launcher, nextLine: async () => (await lines.next()).value ?? '(no more lines)' };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
