import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundleWidget } from './build/bundle.ts';

const files = await bundleWidget(import.meta.dirname);

function gzippedBytes(name: RegExp): number {
  const found = files.filter(({ file }) => name.test(file));
  expect(found).toHaveLength(1);
  return gzipSync(found[0]?.content ?? '', { level: 9 }).length;
}

test('the loader is at most 1 KB gzipped', () => {
  expect(gzippedBytes(/^widget\.js$/)).toBeLessThanOrEqual(1_000);
});

test('all of the application is one file of at most 20 KB gzipped', () => {
  expect(gzippedBytes(/^app-\w+\.js$/)).toBeLessThanOrEqual(20_000);
  expect(
    files.filter(({ file }) => file.endsWith('.js')).map(({ file }) => file.replace(/-\w+/, '')),
  ).toEqual(['app.js', 'demo/demo.js', 'widget.js']);
});

test('the loader names the application file that was built with it', () => {
  const app = files.find(({ file }) => file.startsWith('app-'));
  expect(files.find(({ file }) => file === 'widget.js')?.content).toContain(app?.file);
});

test('nothing in it makes HTML or code out of text', () => {
  const app = files.find(({ file }) => file.startsWith('app-'))?.content ?? '';
  expect(app).not.toMatch(/\beval\(|new Function\(|insertAdjacentHTML|document\.write|outerHTML/);
  // Preact's own property for raw HTML: its code is there, nothing of ours uses it.
  expect(app.match(/dangerouslySetInnerHTML/g)).toHaveLength(2);
});
