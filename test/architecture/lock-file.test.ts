import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Lock = {
  packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
};

// npm drops from the lock, without a word, the binaries of other platforms that it cannot get; `npm ci` then fails on
// any machine, because the lock no longer agrees with package.json of those packages.
test.each(['package-lock.json', 'tools/prisma/package-lock.json'])(
  '%s has the binaries of every platform',
  (name) => {
    const { packages } = readLock(name);
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((optional) => !isLocked(packages, path, optional))
        .map((optional) => `${optional}, of ${path}`),
    );
    expect(missing).toEqual([]);
  },
);

test('the launcher has a pinned Node for every platform that it knows', () => {
  const { packages } = readLock('package-lock.json');
  const nodes = Object.keys(packages['tools/runtime']?.optionalDependencies ?? {});
  expect(nodes).toHaveLength(5);
});

test.each(['package-lock.json', 'tools/prisma/package-lock.json'])('%s names no registry', (name) => {
  const links = Object.values(readLock(name).packages).flatMap(({ resolved }) => resolved ?? []);
  expect(links.filter((link) => link.includes('://'))).toEqual([]);
});

// As Node looks packages up: beside the one that asks, then in each node_modules above it.
function isLocked(packages: Lock['packages'], from: string, name: string): boolean {
  const folders = from.split('/node_modules/');
  return (
    `${from}/node_modules/${name}` in packages ||
    `node_modules/${name}` in packages ||
    folders.some(
      (_, depth) => `${folders.slice(0, depth + 1).join('/node_modules/')}/node_modules/${name}` in packages,
    )
  );
}

function readLock(name: string): Lock {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8'));
}
