import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Env } from '#config/env.ts';

/** What a person's `swarmgate` runs. */
export const program = join(import.meta.dirname, '../../bin/swarmgate.js');

export type CommandResult = { code: number; output: string; errors: string };

/** Runs `swarmgate …` as a person would, in a process of its own, with nothing of this one's environment but the path. */
export function runCommand(
  words: readonly string[],
  env: Env & Record<string, string> = {},
  /** What it reads from standard input. */
  input = '',
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...words],
      { env: { PATH: process.env['PATH'] ?? '', ...env }, timeout: 45_000 },
      (error, output, errors) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output, errors }),
    );
    // A command that ends without having read it is nothing to the test.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
