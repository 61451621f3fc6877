import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file and its place in `dist`. */
export type BuiltFile = { file: string; content: string };

/** `dist/manifest.json`: what was built, and the digest of the sources that it was built from. */
export type Manifest = { inputs: string; files: string[] };

const manifestFile = 'manifest.json';

export async function readManifest(directory: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, manifestFile), 'utf8'));
  } catch {
    // Missing or half a file: either way there is nothing to rely on.
    return undefined;
  }
}

/**
 * Puts the files in place, each by a rename: whoever reads meanwhile sees the old or the new one, never half of one, and
 * two builds at once end the same. The manifest comes last, so that a build that dies is made again.
 */
export async function publishFiles(
  directory: string,
  files: readonly BuiltFile[],
  inputs: string,
): Promise<void> {
  const before = await readManifest(directory);
  const manifest: Manifest = { inputs, files: files.map(({ file }) => file) };
  const all = [...files, { file: manifestFile, content: `${JSON.stringify(manifest, null, 2)}\n` }];

  const workshop = join(directory, `.new-${randomUUID()}`);
  try {
    for (const { file, content } of all) {
      const made = join(workshop, file);
      await mkdir(dirname(made), { recursive: true });
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(made, content);
      await rename(made, join(directory, file));
    }
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  const outdated = before?.files.filter((file) => !manifest.files.includes(file)) ?? [];
  for (const file of outdated) await rm(join(directory, file), { force: true });
}
