import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { operate } from './operate.ts';

export function addDiscordCommand(program: Command): void {
  const discord = program.command('discord').description('connect Discord servers to this service');
  discord
    .command('install-link')
    .description('print the link by which the bot is invited to a server, with the permissions that it needs')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<channel>', 'the slug of its Discord channel')
    .option('--json', 'print JSON')
    .action(async (tenant: string, channel: string, { json }: { json?: boolean }) => {
      const request = { command: 'install-link', platform: 'discord', tenant, channel } as const;
      const link = await operate(readConfig(readEnv()), request);
      if (json) console.log(JSON.stringify(link, undefined, 2));
      else console.log(`${link.url}\n\n${explain(`${tenant}/${channel}`, link.expiresAt)}`);
    });
}

function explain(path: string, expiresAt: string | undefined): string {
  if (expiresAt === undefined)
    return `Whoever may manage the server invites the bot with it. ${path} is set up already.`;
  return `Whoever opens it and may manage a Discord server connects that server to ${path}.\nIt works until ${expiresAt}.`;
}
