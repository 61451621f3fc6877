import { spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { whenNpmShellIsGone } from './npm-shell.js';

/**
 * Runs a program as a child that ends when this process is told to end, and ends this process as it ended.
 * @param {string} program
 * @param {string[]} programArguments
 * @param {NodeJS.ProcessEnv} environment
 */
export function runAsChild(program, programArguments, environment) {
  const child = spawn(program, programArguments, { stdio: 'inherit', env: environment });

  /** @type {NodeJS.Signals[]} */
  const forwarded = ['SIGTERM', 'SIGHUP'];
  // @NOTE A terminal sends Ctrl-C and Ctrl-\ to the whole group, so the child has it already: forwarded, it would
  // count as the second one, which by custom means "at once". Without a terminal it was sent to this process alone.
  /** @type {NodeJS.Signals[]} */
  const keyboard = ['SIGINT', 'SIGQUIT'];
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  for (const signal of keyboard) process.on(signal, () => hasTerminal() || child.kill(signal));
  whenNpmShellIsGone(() => child.kill('SIGHUP'));

  child.on('error', (error) => {
    console.error(`${program} cannot be run on this machine: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const handled of [...forwarded, ...keyboard]) process.removeAllListeners(handled);
    process.kill(process.pid, signal);
  });
}

function hasTerminal() {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
