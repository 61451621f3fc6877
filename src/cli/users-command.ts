import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { AppError } from '#domain/errors.ts';
import { operate } from './operate.ts';
import type { ListedUser, UsersWish } from './users.ts';

type Json = { json?: boolean };
type CreateFlags = Json & { name: string; operator?: boolean; passwordStdin?: boolean };

export function addUsersCommand(program: Command): void {
  const users = program.command('users').description('people who sign in');

  users
    .command('create')
    .description('add somebody; prints a token, good once, by which they choose their password')
    .argument('<email>', 'their address')
    .option('--name <name>', 'what they are called', '')
    .option('--operator', 'they run this installation: make organizations and tenants')
    .option('--password-stdin', 'read their password from standard input instead')
    .option('--json', 'print JSON')
    .action(async (email: string, { name, operator = false, passwordStdin, json }: CreateFlags) => {
      const password = passwordStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : undefined;
      const wish = { act: 'create', email, name, isOperator: operator } as const;
      print({ json }, await ask({ ...wish, ...(password !== undefined && { password }) }), 'is added.');
    });

  users
    .command('list')
    .description('list everybody, by address')
    .option('--json', 'print JSON')
    .action(async ({ json }: Json) => {
      const listed = await ask({ act: 'list' });
      if (json) console.log(JSON.stringify(listed, undefined, 2));
      else console.log(listed.length === 0 ? 'There is nobody.' : listed.map(line).join('\n'));
    });

  users
    .command('link')
    .description('make a token, good once, by which somebody chooses a new password or is signed in')
    .argument('<email>', 'their address')
    .option('--sign-in', 'to be signed in, within a quarter of an hour')
    .option('--json', 'print JSON')
    .action(async (email: string, { signIn, json }: Json & { signIn?: boolean }) => {
      print({ json }, await ask({ act: 'link', email, purpose: signIn ? 'sign_in' : 'set_password' }), '');
    });

  users
    .command('sign-out')
    .description('end the sessions of somebody, or of everybody, and the tokens that came from them')
    .argument('[email]', 'their address')
    .option('--everybody', 'all sessions of the installation')
    .option('--json', 'print JSON')
    .action(async (email: string | undefined, { everybody, json }: Json & { everybody?: boolean }) => {
      if ((email === undefined) !== (everybody === true))
        throw new AppError('bad_option', 'Name somebody by their address, or give --everybody.');
      const ended = await ask({ act: 'sign-out', ...(email !== undefined && { email }) });
      if (json) console.log(JSON.stringify(ended, undefined, 2));
      else for (const user of ended) console.log(`${user.email} is signed out.`);
    });

  for (const { act, what, done } of [
    { act: 'disable', what: 'keep somebody out, and end their sessions', done: 'is disabled.' },
    { act: 'enable', what: 'let somebody back in', done: 'is enabled.' },
    {
      act: 'reset-second-factor',
      what: 'take away the second factors of somebody who has lost them, passkeys too, and end their sessions',
      done: 'has no second factor now.',
    },
  ] as const) {
    users
      .command(act)
      .description(what)
      .argument('<email>', 'their address')
      .option('--json', 'print JSON')
      .action(async (email: string, { json }: Json) => print({ json }, await ask({ act, email }), done));
  }
}

async function ask(wish: UsersWish): Promise<ListedUser[]> {
  return operate(readConfig(readEnv()), { command: 'users', wish });
}

function print({ json }: { json: boolean | undefined }, [user]: ListedUser[], done: string): void {
  if (json) {
    console.log(JSON.stringify(user, undefined, 2));
    return;
  }
  if (!user) return;
  if (done) console.log(`${user.email} ${done}`);
  const { link } = user;
  if (!link) return;
  const purpose = link.purpose === 'sign_in' ? 'be signed in by' : 'choose a password with';
  console.log(`${link.token}\n\nTo ${purpose}, once, until ${link.expiresAt}. It is shown this once.`);
}

function line({ id, email, name, status, isOperator, isConfirmed, ...user }: ListedUser): string {
  const marks = [
    status,
    ...(isOperator ? ['operator'] : []),
    user.hasSecondFactor ? 'second factor' : 'no second factor',
    ...(user.passkeyCount ? [user.passkeyCount === 1 ? 'a passkey' : `${user.passkeyCount} passkeys`] : []),
    ...(isConfirmed ? [] : ['address not confirmed']),
  ];
  return `${id}  ${email}  ${marks.join(', ')}${name ? `  ${name}` : ''}`;
}
