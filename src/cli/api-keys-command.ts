import { permission } from '@swarmgate/contract/rest/permissions.ts';
import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { AppError } from '#domain/errors.ts';
import { type ApiKeysWish, isBuiltinRole, type ListedApiKey } from './api-keys.ts';
import { operate } from './operate.ts';

type CreateFlags = { name: string; role?: string; permission?: string[]; days?: string; json?: boolean };

const daysMax = 3_650;

export function addApiKeysCommand(program: Command): void {
  const keys = program.command('api-keys').description('keys with which programs call the API of a tenant');

  keys
    .command('create')
    .description('make a key; it is shown this once')
    .argument('<tenant>', 'the slug of a tenant')
    .option('--name <name>', 'what it is for', 'command line')
    .option('--role <role>', 'what it may do: owner, admin, member or viewer', 'admin')
    .option('--permission <permission...>', 'instead of a role: what it may do, like conversations:read')
    .option('--days <count>', 'how long it is good; for ever when absent')
    .option('--json', 'print JSON')
    .action(async (tenant: string, flags: CreateFlags) => {
      const [made] = await ask({ tenant, act: 'create', ...wishOf(flags) });
      if (flags.json) console.log(JSON.stringify(made, undefined, 2));
      else
        console.log(
          `${made?.key}\n\nIt is shown this once, and is for ${made?.tenantId}. It may: ${made?.permissions.join(', ')}.`,
        );
    });

  keys
    .command('list')
    .description('list the keys of a tenant, the latest first')
    .argument('<tenant>', 'the slug of a tenant')
    .option('--json', 'print JSON')
    .action(async (tenant: string, { json }: { json?: boolean }) => {
      const listed = await ask({ tenant, act: 'list' });
      if (json) console.log(JSON.stringify(listed, undefined, 2));
      else console.log(listed.length === 0 ? 'There is none.' : listed.map(line).join('\n'));
    });

  keys
    .command('revoke')
    .description('end a key, everywhere within a second')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<id>', 'key_…')
    .option('--json', 'print JSON')
    .action(async (tenant: string, id: string, { json }: { json?: boolean }) => {
      const [revoked] = await ask({ tenant, act: 'revoke', id });
      console.log(json ? JSON.stringify(revoked, undefined, 2) : `${id} is revoked.`);
    });
}

async function ask(wish: ApiKeysWish): Promise<ListedApiKey[]> {
  return operate(readConfig(readEnv()), { command: 'api-keys', wish });
}

function wishOf({ name, role, permission: permissions, days }: CreateFlags) {
  if (role !== undefined && !isBuiltinRole(role))
    throw new AppError('bad_option', `--role is "${role}"; there are owner, admin, member and viewer.`);
  const unknown = permissions?.find((one) => !permission.safeParse(one).success);
  if (unknown !== undefined)
    throw new AppError(
      'bad_option',
      `--permission is "${unknown}"; one is like conversations:read (docs/administration/access.md).`,
    );
  const count = days === undefined ? undefined : Number(days);
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= daysMax))
    throw new AppError('bad_option', `--days is "${days}"; it is a number from 1 to ${daysMax}.`);
  return {
    name,
    ...(role !== undefined && { role }),
    ...(permissions && { permissions: permissions.map((one) => permission.parse(one)) }),
    ...(count !== undefined && { days: count }),
  };
}

function line({ id, prefix, name, createdAt, expiresAt, revokedAt, lastUsedAt }: ListedApiKey): string {
  const state = revokedAt ? `revoked ${revokedAt}` : expiresAt ? `until ${expiresAt}` : 'good';
  return `${id}  ${prefix}…  ${createdAt}  ${state}  used ${lastUsedAt ?? 'never'}  ${name}`;
}
