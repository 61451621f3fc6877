import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type Config, readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import type { SetExitCode } from './exit-code.ts';
import { examine, type Finding } from './findings.ts';
import { handOver } from './hand-over.ts';

export function addDoctorCommand(program: Command, setExitCode: SetExitCode): void {
  program
    .command('doctor')
    .description('look at the installation, say what is wrong and how to mend it; changes nothing')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await look();
      console.log(json ? JSON.stringify({ findings }, undefined, 2) : describe(findings));
      setExitCode(findings.some(({ state }) => state === 'failure') ? 1 : 0);
    });
}

async function look(): Promise<Finding[]> {
  const env = await examine('configuration', async () => {
    readConfig(readEnv());
    return { state: 'ok', says: 'every variable is as it must be' };
  });
  if (env.state === 'failure') return [env];
  const config = readConfig(readEnv());
  const { examineMachine } = await import('./doctor.ts');
  return [env, ...(await examineMachine(config)), ...(await lookAtData(config))];
}

async function lookAtData(config: Config): Promise<Finding[]> {
  if (config.database.kind === 'embedded') {
    const findings = await handOver(config.dataDir, { command: 'doctor' });
    if (findings)
      return [
        { check: 'service', state: 'ok', says: 'it runs on this data directory and answered' },
        ...findings,
      ];
  }
  if (config.database.kind === 'embedded' && !existsSync(config.database.directory)) {
    return [
      {
        check: 'database',
        state: 'note',
        says: `there is none in ${config.dataDir} yet; the first start makes it`,
      },
    ];
  }
  const { openStorage } = await import('../storage.ts');
  const { runDoctor } = await import('./doctor.ts');
  let findings: Finding[] = [];
  const database = await examine('database', async () => {
    const storage = await openStorage(config, createLogger('silent'), { readOnly: true });
    try {
      findings = await runDoctor(config, storage);
    } finally {
      await storage.close();
    }
    return { state: 'ok', says: 'it opens' };
  });
  return [database, ...findings];
}

const marks: Record<Finding['state'], string> = {
  ok: 'ok     ',
  note: 'note   ',
  warning: 'WARNING',
  failure: 'FAILURE',
};

function describe(findings: readonly Finding[]): string {
  return findings
    .map(
      ({ check, state, says, mend }) =>
        `${marks[state]}  ${check.padEnd(16)} ${says}${mend ? `\n${' '.repeat(26)}→ ${mend}` : ''}`,
    )
    .join('\n');
}
