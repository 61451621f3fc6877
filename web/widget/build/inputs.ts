import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const patterns = ['src/**/*.{ts,tsx,css}', 'demo/**/*', 'build/*.ts', 'build.ts', 'package.json'];

/** A digest of all that decides what the build makes: its sources, this build, and the packages in it. */
export async function hashInputs(root: string): Promise<string> {
  const names: string[] = [];
  for await (const name of glob(patterns, { cwd: root, exclude: ['**/*.test.{ts,tsx}'] })) names.push(name);
  const hash = createHash('sha256');
  for (const name of names.sort()) {
    const content = await readFile(join(root, name)).catch(nothingIfDirectory);
    if (content) hash.update(`${name}\0${content.length}\0`).update(content);
  }
  const require = createRequire(import.meta.url);
  for (const name of ['preact', 'esbuild'])
    hash.update(`${name}@${require(`${name}/package.json`).version}\0`);
  return hash.digest('hex');
}

function nothingIfDirectory(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EISDIR') throw error;
}
