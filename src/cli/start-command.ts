import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { createLogger } from '#kernel/logger.ts';
import type { SetExitCode } from './exit-code.ts';
import { prettyDestination } from './pretty-log.ts';

export function addStartCommand(program: Command, setExitCode: SetExitCode): void {
  program
    .command('start')
    .description('run the service')
    .action(async () => {
      const startedAt = performance.now();
      const config = readConfig(readEnv());
      const logger = process.stdout.isTTY
        ? createLogger(config.logLevel, prettyDestination(process.stdout))
        : createLogger(config.logLevel);
      // Everything that the service is made of, which no other command should wait for.
      const { runService } = await import('./run-service.ts');
      setExitCode(await runService(config, logger, startedAt));
    });
}
