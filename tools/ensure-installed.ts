import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Installs what the lock file of a folder of tools/ says, unless that is what is installed already: tools that nobody needs
 * who starts or tests the service.
 */
export function ensureInstalled(tool: 'prisma' | 'openapi'): void {
  const folder = fileURLToPath(new URL(`${tool}/`, import.meta.url));
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules/.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  console.log(`Installing what tools/${tool} needs (once) …`);
  npm(folder, 'ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  writeFileSync(stamp, wanted);
}

function npm(folder: string, ...npmArguments: string[]): void {
  // npm tells its scripts where it is; without that (run by hand) the one on the PATH will do.
  const npmScript = process.env['npm_execpath'];
  const [command, first] = npmScript === undefined ? ['npm', []] : [process.execPath, [npmScript]];
  const { status, error } = spawnSync(command, [...first, ...npmArguments], {
    stdio: 'inherit',
    cwd: folder,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`npm ${npmArguments.join(' ')} failed`);
}
