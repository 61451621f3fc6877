import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isNewEnough, oldestNode } from './node-version.js';
import { findPinnedNode } from './pinned-node.js';
import { runAsChild } from './run-as-child.js';

/**
 * Runs `node …nodeArguments` on a Node that is new enough, in place of this process, and ends as it ends.
 * @param {string[]} nodeArguments
 */
export function runOnNewEnoughNode(nodeArguments) {
  const node = isNewEnough(process.versions.node) ? process.execPath : findPinnedNode();
  if (node === undefined) {
    console.error(
      `Node ${process.versions.node} found, ${oldestNode} or newer needed, and no pinned one is installed: ` +
        'run "npm install" without --omit=optional, or update Node.',
    );
    process.exit(1);
  }

  const environment = { ...process.env, PATH: pathThatFinds(node) };
  // Where it can be done (from Node 22.15, not on Windows) the new process takes the place of this one: no second
  // process, and nothing to forward.
  if (process.platform !== 'win32' && typeof process.execve === 'function') {
    process.execve(node, [node, ...nodeArguments], environment);
  }
  runAsChild(node, nodeArguments, environment);
}

/**
 * PATH, so that what the script starts with `node` is this Node too; left alone where that is so already.
 * @param {string} node
 */
function pathThatFinds(node) {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const first = folders
    .map((folder) => realPathOf(join(folder, 'node')))
    .find((found) => found !== undefined);
  if (first === realPathOf(node)) return folders.join(delimiter);
  return [dirname(node), ...folders].join(delimiter);
}

/** @param {string} path */
function realPathOf(path) {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
