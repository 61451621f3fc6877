import { resolve } from 'node:path';
import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv, readVariable } from '#config/env.ts';
import type { Change } from '#tenancy/apply/apply-plan.ts';
import { readApplyFile } from '#tenancy/apply/read-apply-file.ts';
import { operate } from './operate.ts';

export function addApplyCommand(program: Command): void {
  program
    .command('apply')
    .description('make organizations, tenants, channels, agents and knowledge be what a file says')
    .argument('<file>', 'an apply file (YAML)')
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print the changes as JSON')
    .action(async (file: string, { dryRun = false, json }: { dryRun?: boolean; json?: boolean }) => {
      const config = readConfig(readEnv());
      const plan = readApplyFile(resolve(file), readVariable);
      const changes = await operate(config, { command: 'apply', plan, dryRun });
      console.log(json ? JSON.stringify({ dryRun, changes }, undefined, 2) : describe(changes, dryRun));
    });
}

const marks: Record<Change['action'], string> = {
  created: '+ created  ',
  updated: '~ updated  ',
  unchanged: '= unchanged',
  kept: '. kept     ',
};

function describe(changes: readonly Change[], dryRun: boolean): string {
  const lines = changes.map(
    ({ action, kind, path, key, secret }) =>
      `${marks[action]}  ${kind.padEnd(12)}  ${path}${key ? `  (key ${key})` : ''}${secret ? `  (secret ${secret}, shown this once)` : ''}`,
  );
  const written = changes.filter(({ action }) => action === 'created' || action === 'updated').length;
  const kept = changes.some(({ action }) => action === 'kept')
    ? ' "kept" stands for what exists and the file does not name.'
    : '';
  const summary = dryRun ? `${written} would change; nothing was written.` : `${written} changed.`;
  return [...lines, summary + kept].join('\n');
}
