import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolFolder } from './project-paths.ts';

/** Installs what this folder's lock file says, unless that is what is installed already. */
export function ensureInstalled(): void {
  const wanted = createHash('sha256')
    .update(readFileSync(join(toolFolder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(toolFolder, 'node_modules/.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  console.log('Installing the Prisma tools (once) …');
  npm('ci', '--prefix', toolFolder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  writeFileSync(stamp, wanted);
}

function npm(...npmArguments: string[]): void {
  // npm tells its scripts where it is; without that (run by hand) the one on the PATH will do.
  const npmScript = process.env['npm_execpath'];
  const [command, first] = npmScript === undefined ? ['npm', []] : [process.execPath, [npmScript]];
  const { status, error } = spawnSync(command, [...first, ...npmArguments], {
    stdio: 'inherit',
    cwd: toolFolder,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`npm ${npmArguments.join(' ')} failed`);
}
