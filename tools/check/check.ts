/**
 * `npm run check`: everything that can be said about the code in about a minute.
 * All steps run, so that one run shows all that is wrong; the exit code is 1 when any of them failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

type Step = { name: string; script: string; arguments: string[] };

const steps: Step[] = [
  {
    name: 'format and lint',
    script: 'node_modules/@biomejs/biome/bin/biome',
    // Biome colours its output in CI whatever NO_COLOR says.
    arguments: ['ci', ...(process.env['NO_COLOR'] ? ['--colors=off'] : [])],
  },
  // Before the types: it installs what they are of.
  { name: 'API description', script: 'tools/openapi/lint.ts', arguments: [] },
  ...typeScriptProjects().map((project) => ({
    name: `types of ${project}`,
    script: 'node_modules/@typescript/native/bin/tsc',
    arguments: ['-p', project],
  })),
  {
    name: 'boundaries',
    script: 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    arguments: ['--config', '.dependency-cruiser.mjs', 'src', 'contract/src', 'web', 'bin'],
  },
  { name: 'dead code', script: 'node_modules/knip/bin/knip.js', arguments: [] },
  { name: 'generated Prisma client', script: 'tools/prisma/check-generated.ts', arguments: [] },
  { name: 'schema drift', script: 'tools/prisma/check-drift.ts', arguments: [] },
  {
    name: 'unit and architecture tests',
    script: 'node_modules/vitest/vitest.mjs',
    arguments: ['run', '--project', 'unit', '--project', 'architecture'],
  },
];

const failed = steps.filter((step) => !passes(step)).map((step) => step.name);
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;

function passes(step: Step): boolean {
  console.log(`\n── ${step.name}`);
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [step.script, ...step.arguments], { stdio: 'inherit' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`── ${step.name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  return status === 0;
}

function typeScriptProjects(): string[] {
  return [
    'tsconfig.json',
    'tools/openapi/tsconfig.json',
    'web/widget/tsconfig.json',
    'test/browser/tsconfig.json',
  ].filter(existsSync);
}
