import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../support/a-command.ts';

test('a command that finds no data leaves none behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_nothing_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const env = { DATA_DIR: join(folder, 'data') };
  for (const words of [
    ['simulate', 'twilio', 'Hello'],
    ['discord', 'install-link', 'demo', 'srv'],
    ['dead-letters', 'list', 'demo'],
  ]) {
    const { code, errors } = await runCommand(words, env);
    expect(code).toBe(1);
    expect(errors).toMatch(/^There is no data in .*DATA_DIR.*\n$/);
  }
  expect(await readdir(folder)).toEqual([]);
});
