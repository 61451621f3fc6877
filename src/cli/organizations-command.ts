import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { operate } from './operate.ts';
import type {
  ListedOrganization,
  ListedOrganizationMember,
  OrganizationMembersWish,
  OrganizationsWish,
} from './organizations.ts';

type Json = { json?: boolean };

export function addOrganizationsCommand(program: Command): void {
  const organizations = program
    .command('organizations')
    .description('who has tenants here, and what they ask of everybody in them');

  organizations
    .command('list')
    .description('list them')
    .option('--json', 'print JSON')
    .action(async (flags: Json) => printOrganizations(flags, await ask({ act: 'list' })));

  addChoice(organizations, 'second-factor', 'requiresSecondFactor').description(
    'ask everybody in an organization and its tenants for a second factor, or do so no more',
  );
  addChoice(organizations, 'single-sign-on', 'requiresSingleSignOn').description(
    'take nobody in an organization and its tenants who came with a password, or do so again',
  );

  organizations
    .command('confirm-domain')
    .description('believe that a domain of addresses is the organization’s, which it has claimed')
    .argument('<organization>', 'the slug of an organization')
    .argument('<domain>', 'the domain')
    .action(async (organization: string, domain: string) => {
      await ask({ act: 'confirm-domain', organization, domain });
      console.log(`${domain} is confirmed.`);
    });

  const members = program
    .command('organization-members')
    .description('who runs an organization, and as what');

  members
    .command('list')
    .description('list them, by address')
    .argument('<organization>', 'the slug of an organization')
    .option('--json', 'print JSON')
    .action(async (organization: string, flags: Json) =>
      printMembers(flags, await askMembers({ organization, act: 'list' })),
    );

  members
    .command('add')
    .description('make somebody a member, or give a member another role')
    .argument('<organization>', 'the slug of an organization')
    .argument('<email>', 'their address; see "swarmgate users create"')
    .option('--role <role>', 'owner, admin, billing or viewer', 'viewer')
    .option('--json', 'print JSON')
    .action(async (organization: string, email: string, { role, json }: Json & { role: string }) =>
      printMembers({ json }, await askMembers({ organization, act: 'add', email, role })),
    );

  members
    .command('remove')
    .description('end a membership')
    .argument('<organization>', 'the slug of an organization')
    .argument('<email>', 'their address')
    .option('--json', 'print JSON')
    .action(async (organization: string, email: string, flags: Json) =>
      printMembers(flags, await askMembers({ organization, act: 'remove', email })),
    );
}

function addChoice(
  organizations: Command,
  name: string,
  what: Extract<OrganizationsWish, { act: 'change' }>['what'],
): Command {
  return organizations
    .command(name)
    .argument('<organization>', 'the slug of an organization')
    .argument('<required|optional>', 'what it is from now on')
    .option('--json', 'print JSON')
    .action(async (organization: string, choice: string, flags: Json, command: Command) => {
      if (choice !== 'required' && choice !== 'optional')
        command.error('It is either "required" or "optional".', { exitCode: 2 });
      const isRequired = choice === 'required';
      printOrganizations(flags, await ask({ act: 'change', organization, what, isRequired }));
    });
}

async function ask(wish: OrganizationsWish): Promise<ListedOrganization[]> {
  return operate(readConfig(readEnv()), { command: 'organizations', wish });
}

async function askMembers(wish: OrganizationMembersWish): Promise<ListedOrganizationMember[]> {
  return operate(readConfig(readEnv()), { command: 'organization-members', wish });
}

type Flags = { json?: boolean | undefined };

function printOrganizations({ json }: Flags, organizations: readonly ListedOrganization[]): void {
  if (json) console.log(JSON.stringify(organizations, undefined, 2));
  else if (organizations.length === 0) console.log('There is none.');
  else
    for (const { id, slug, plan, requiresSecondFactor } of organizations)
      console.log(`${id}  ${slug}  ${plan}  second factor ${requiresSecondFactor ? 'required' : 'optional'}`);
}

function printMembers({ json }: Flags, members: readonly ListedOrganizationMember[]): void {
  if (json) console.log(JSON.stringify(members, undefined, 2));
  else if (members.length === 0) console.log('There is none.');
  else for (const { id, email, role, status } of members) console.log(`${id}  ${email}  ${role}  ${status}`);
}
