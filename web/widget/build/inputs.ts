import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

/** The checkout's own documentation, which the demo tenant's agent answers from and links to. */
export const documentPatterns = ['README.md', 'ARCHITECTURE.md', 'docs/*.md', 'docs/channels/*.md'];

const patterns = ['src/**/*.{ts,tsx,css}', 'demo/**/*', 'build/*.ts', 'build.ts', 'package.json'];

/** A digest of all that decides what the build makes: its sources, the documents, this build, and the packages in it. */
export async function hashInputs(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [
    ...(await listFiles(root, patterns)),
    ...(await listFiles(join(root, '../..'), documentPatterns)),
  ]) {
    const content = await readFile(path).catch(nothingIfDirectory);
    if (content) hash.update(`${relative(root, path)}\0${content.length}\0`).update(content);
  }
  const require = createRequire(import.meta.url);
  for (const name of ['preact', 'esbuild'])
    hash.update(`${name}@${require(`${name}/package.json`).version}\0`);
  return hash.digest('hex');
}

async function listFiles(root: string, globs: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for await (const name of glob([...globs], { cwd: root, exclude: ['**/*.test.{ts,tsx}'] }))
    paths.push(join(root, name));
  return paths.sort();
}

function nothingIfDirectory(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EISDIR') throw error;
}
