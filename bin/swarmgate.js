#!/usr/bin/env node
// The `swarmgate` command. Plain JavaScript: it must be able to say so when the Node that reads it is too old.
import { existsSync } from 'node:fs';
import nodeModule from 'node:module'; // as a whole: an old Node does not have every name
import { fileURLToPath } from 'node:url';
import { runOnNewEnoughNode } from '../tools/runtime/launch.js';
import { isNewEnough } from '../tools/runtime/node-version.js';
import { whenNpmShellIsGone } from '../tools/runtime/npm-shell.js';

if (!isNewEnough(process.versions.node)) {
  runOnNewEnoughNode([fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else if (!existsSync(new URL('../node_modules/', import.meta.url))) {
  console.error('The dependencies are not installed: run "npm install" first.');
  process.exitCode = 1;
} else {
  hideExperimentalWarnings();
  keepCompiledCode();
  whenNpmShellIsGone(() => process.kill(process.pid, 'SIGHUP'));
  const { main } = await import('../src/cli/main.ts');
  // What still hangs on a server that is gone must not keep the process.
  process.exit(await main(process.argv.slice(2)));
}

/** Node 22 and 24 call type stripping and node:sqlite experimental; nobody who runs a command can act on it. */
function hideExperimentalWarnings() {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') console.error(warning.stack);
  });
}

/**
 * Keeps what Node compiles, types stripped, for the next start. Beside the dependencies, because who can write there can
 * change the code anyway; where nobody can (an image that is read-only) Node goes on without.
 */
function keepCompiledCode() {
  nodeModule.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/swarmgate/', import.meta.url)));
}
