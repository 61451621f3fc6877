import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { publishFiles, readManifest } from './manifest.ts';

test('published files are there with their manifest, and those of the last build are gone', async () => {
  const directory = await aDirectory();
  await publishFiles(
    directory,
    [
      { file: 'app-1.js', content: 'one' },
      { file: 'demo/x.css', content: 'x' },
    ],
    'inputs 1',
  );
  await publishFiles(
    directory,
    [
      { file: 'app-2.js', content: 'two' },
      { file: 'demo/x.css', content: 'y' },
    ],
    'inputs 2',
  );
  expect(await readdir(directory)).toEqual(['app-2.js', 'demo', 'manifest.json']);
  expect(await readFile(join(directory, 'demo/x.css'), 'utf8')).toBe('y');
  expect(await readManifest(directory)).toEqual({ inputs: 'inputs 2', files: ['app-2.js', 'demo/x.css'] });
});

test('two builds at once end as one', async () => {
  const directory = await aDirectory();
  const files = Array.from({ length: 20 }, (_, at) => ({ file: `${at}.js`, content: 'x'.repeat(50_000) }));
  await Promise.all([1, 2, 3].map(() => publishFiles(directory, files, 'inputs')));
  expect((await readdir(directory)).filter((name) => !name.endsWith('.js'))).toEqual(['manifest.json']);
  for (const { file, content } of files) expect(await readFile(join(directory, file), 'utf8')).toBe(content);
});

test('where nothing or half of something was built there is no manifest', async () => {
  expect(await readManifest(await aDirectory())).toBeUndefined();
});

async function aDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmgate-dist-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
