import { Command, CommanderError } from 'commander';
import { AppError } from '#domain/errors.ts';
import { addApiKeysCommand } from './api-keys-command.ts';
import { addApplyCommand } from './apply-command.ts';
import { addAuditCommand } from './audit-command.ts';
import { addDeadLettersCommand } from './dead-letters-command.ts';
import { addDiscordCommand } from './discord-command.ts';
import { addDoctorCommand } from './doctor-command.ts';
import type { SetExitCode } from './exit-code.ts';
import { addMembersCommand } from './members-command.ts';
import { addMigrateCommand } from './migrate-command.ts';
import { addOrganizationsCommand } from './organizations-command.ts';
import { addSimulateCommand } from './simulate-command.ts';
import { addSlackCommand } from './slack-command.ts';
import { addStartCommand } from './start-command.ts';
import { addTeamsCommand } from './teams-command.ts';
import { addTenantsCommand } from './tenants-command.ts';
import { addUsersCommand } from './users-command.ts';
import { version } from './version.ts';

/** Runs the command line; `argv` without the program's own name. Answers the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const setExitCode: SetExitCode = (code) => {
    exitCode = code;
  };
  const program = new Command('swarmgate')
    .description('A multi-tenant chat gateway for AI agents.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for help)');
  addStartCommand(program, setExitCode);
  addMigrateCommand(program);
  addDoctorCommand(program, setExitCode);
  addApplyCommand(program);
  addTenantsCommand(program);
  addApiKeysCommand(program);
  addUsersCommand(program);
  addMembersCommand(program);
  addOrganizationsCommand(program);
  addDeadLettersCommand(program);
  addAuditCommand(program, setExitCode);
  addSlackCommand(program);
  addDiscordCommand(program);
  addTeamsCommand(program);
  addSimulateCommand(program, setExitCode);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(error instanceof AppError ? error.message : error);
    return 1;
  }
}
