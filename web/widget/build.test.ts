import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const root = import.meta.dirname;
const run = promisify(execFile);

test('it is built once, again when a source has changed, and not because of a date', async () => {
  const widget = await aCopy(['build.ts', 'build', 'src', 'demo', 'package.json'], true);
  expect(await ensureBuilt(widget)).toBe('true');
  expect(await ensureBuilt(widget)).toBe('false');
  await utimes(join(widget, 'src/app.ts'), new Date(), new Date());
  expect(await ensureBuilt(widget)).toBe('false');
  await writeFile(join(widget, 'src/locale/more.ts'), 'export const more = 1;\n');
  expect(await ensureBuilt(widget)).toBe('true');
});

test('an image without sources and without esbuild serves what was built into it', async () => {
  const widget = await aCopy(['build.ts', 'build', 'package.json'], false);
  await expect(ensureBuilt(widget)).rejects.toThrow('The chat widget is not built and cannot be');
  const built = await aCopy(['build.ts', 'build', 'src', 'demo', 'package.json'], true);
  await ensureBuilt(built);
  await cp(join(built, 'dist'), join(widget, 'dist'), { recursive: true });
  expect(await ensureBuilt(widget)).toBe('false');
});

test('processes that build at the same time all find it built', async () => {
  const widget = await aCopy(['build.ts', 'build', 'src', 'demo', 'package.json'], true);
  await Promise.all([1, 2, 3].map(() => ensureBuilt(widget)));
  const names = (await readdir(join(widget, 'dist'))).map((name) => name.replace(/-\w+/, ''));
  expect(names).toEqual(['app.js', 'demo', 'manifest.json', 'widget.js']);
  expect(await ensureBuilt(widget)).toBe('false');
});

/** Some of the widget's files in a checkout of their own. */
async function aCopy(names: readonly string[], hasPackages: boolean): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), 'swarmgate-widget-'));
  onTestFinished(() => rm(checkout, { recursive: true, force: true }));
  const widget = join(checkout, 'web/widget');
  for (const name of names) await cp(join(root, name), join(widget, name), { recursive: true });
  if (hasPackages) await symlink(join(root, '../../node_modules'), join(checkout, 'node_modules'));
  return widget;
}

/** In a process of its own; returns whether this call has built. */
async function ensureBuilt(widget: string): Promise<string> {
  const script = `import { ensureWidgetBuilt } from ${JSON.stringify(join(widget, 'build.ts'))};
    process.stdout.write(String(await ensureWidgetBuilt()));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
  return stdout;
}
