import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import type { ListedMember, MembersWish } from './members.ts';
import { operate } from './operate.ts';

type Json = { json?: boolean };

export function addMembersCommand(program: Command): void {
  const members = program.command('members').description('who belongs to a tenant, and as what');

  members
    .command('list')
    .description('list them, by address')
    .argument('<tenant>', 'the slug of a tenant')
    .option('--json', 'print JSON')
    .action(async (tenant: string, flags: Json) => print(flags, await ask({ tenant, act: 'list' })));

  members
    .command('add')
    .description('make somebody a member, or give a member another role')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<email>', 'their address; see "swarmgate users create"')
    .option('--role <role>', 'owner, admin, member, viewer, or a role of the tenant’s own', 'member')
    .option('--json', 'print JSON')
    .action(async (tenant: string, email: string, { role, json }: Json & { role: string }) =>
      print({ json }, await ask({ tenant, act: 'add', email, role })),
    );

  members
    .command('remove')
    .description('end a membership')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<email>', 'their address')
    .option('--json', 'print JSON')
    .action(async (tenant: string, email: string, flags: Json) =>
      print(flags, await ask({ tenant, act: 'remove', email })),
    );
}

async function ask(wish: MembersWish): Promise<ListedMember[]> {
  return operate(readConfig(readEnv()), { command: 'members', wish });
}

function print({ json }: { json?: boolean | undefined }, members: readonly ListedMember[]): void {
  if (json) console.log(JSON.stringify(members, undefined, 2));
  else if (members.length === 0) console.log('There is none.');
  else for (const { id, email, role, status } of members) console.log(`${id}  ${email}  ${role}  ${status}`);
}
