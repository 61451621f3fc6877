import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { operate } from './operate.ts';
import type { ListedTenant, TenantsWish } from './tenants.ts';

type Json = { json?: boolean };

export function addTenantsCommand(program: Command): void {
  const tenants = program.command('tenants').description('the life of tenants: suspend, close, reopen one');

  tenants
    .command('list')
    .description('list them, by organization and slug')
    .option('--deleted', 'those that were deleted instead')
    .option('--json', 'print JSON')
    .action(async ({ deleted = false, json }: Json & { deleted?: boolean }) => {
      const listed = await ask({ act: 'list', deleted });
      if (json) console.log(JSON.stringify(listed, undefined, 2));
      else console.log(listed.length === 0 ? 'There is none.' : listed.map(line).join('\n'));
    });

  for (const { act, what } of [
    { act: 'show', what: 'look at one' },
    { act: 'suspend', what: 'keep what comes in, and answer nothing until it goes on' },
    { act: 'resume', what: 'let a suspended one go on' },
    {
      act: 'close',
      what: 'stop it, and delete everything of it once the time of grace is over (TENANT_GRACE_DAYS)',
    },
    { act: 'reopen', what: 'take the closing of one back, while there is time' },
  ] as const) {
    tenants
      .command(act)
      .description(what)
      .argument('<tenant>', 'the slug of a tenant')
      .option('--json', 'print JSON')
      .action(async (tenant: string, { json }: Json) => {
        const [one] = await ask({ act, tenant });
        if (one) console.log(json ? JSON.stringify(one, undefined, 2) : line(one));
      });
  }
}

function ask(wish: TenantsWish): Promise<ListedTenant[]> {
  return operate(readConfig(readEnv()), { command: 'tenants', wish });
}

function line({ id, slug, organization, status, deleteAfter, closedBy, deletedAt }: ListedTenant): string {
  const state = [
    status,
    ...(deleteAfter === undefined ? [] : [`by ${closedBy}`, `deleted after ${deleteAfter}`]),
    ...(deletedAt === undefined ? [] : [deletedAt]),
  ];
  return `${id}  ${organization === undefined ? '' : `${organization}/`}${slug}  ${state.join(', ')}`;
}
