import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled } from '../ensure-installed.ts';
import { toolFolder } from './project-paths.ts';

/** Generates the client of a schema file into the folder that its `output` names. */
export function generateClient(schemaPath: string): void {
  ensureInstalled('prisma');
  const cli = join(toolFolder, 'node_modules/prisma/build/index.js');
  const config = join(toolFolder, 'prisma.config.ts');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, 'generate', '--config', config, '--schema', schemaPath, '--no-hints'],
    { encoding: 'utf8', cwd: toolFolder },
  );
  if (status !== 0) throw new Error(`prisma generate failed:\n${stdout}${stderr}`);
}
