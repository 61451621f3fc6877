import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import type { DeadLetter, DeadLetterChoice } from '#conversations/dead-letters/dead-letter.ts';
import type { ShownDeadLetter } from '#conversations/dead-letters/show-dead-letter.ts';
import { AppError } from '#domain/errors.ts';
import type { DeadLettersWish } from './dead-letters.ts';
import { operate } from './operate.ts';

type Filters = { kind?: string; code?: string; before?: string; limit: string; json?: boolean };

const listedDefault = '50';
/** What one transaction puts back or away. */
const actedDefault = '1000';
const limitMax = 10_000;

export function addDeadLettersCommand(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description(
      'answers and deliveries that were given up: look at them, try them once more, put them away',
    );

  withFilters(letters.command('list'), listedDefault)
    .description('list those of a tenant, the latest first')
    .argument('<tenant>', 'the slug of a tenant')
    .action(async (tenant: string, filters: Filters) => {
      const found = await ask({ tenant, act: 'list', choice: choiceOf(filters) });
      print(filters, found, describeList(found, 'There is none.'));
    });

  letters
    .command('show')
    .description('look at one')
    .argument('<tenant>', 'the slug of a tenant')
    .argument('<id>', 'trn_… or dlv_…')
    .option('--text', 'with what was written, which may be private')
    .option('--json', 'print JSON')
    .action(async (tenant: string, id: string, flags: { text?: boolean; json?: boolean }) => {
      const shown = (await operate(readConfig(readEnv()), {
        command: 'dead-letters',
        wish: { tenant, act: 'show', id, withText: flags.text ?? false },
      })) as ShownDeadLetter;
      print(flags, shown, describe(shown));
    });

  for (const { act, what, done } of [
    { act: 'replay', what: 'try some once more', done: 'put back; they run within seconds' },
    { act: 'purge', what: 'put some away: they are not listed any more', done: 'put away' },
  ] as const) {
    withFilters(letters.command(act), actedDefault)
      .description(what)
      .argument('<tenant>', 'the slug of a tenant')
      .argument('[ids...]', 'trn_… or dlv_…')
      .option('--all', 'all that the other options leave, without naming them')
      .action(async (tenant: string, ids: string[], filters: Filters & { all?: boolean }) => {
        if (ids.length > 0 === (filters.all ?? false))
          throw new AppError('bad_option', `Name what to ${act} by its id, or give --all.`);
        const choice = { ...choiceOf(filters), ...(ids.length > 0 && { ids }) };
        const acted = await ask({ tenant, act, choice });
        print(filters, acted, `${describeList(acted, '')}${acted.length} ${done}.`);
      });
  }
}

function withFilters(command: Command, limit: string): Command {
  return command
    .option('--kind <kind>', 'turn or delivery')
    .option('--code <code>', 'those that were given up for this reason')
    .option('--before <time>', 'those before a time, like 2026-11-24T12:00:00Z')
    .option('--limit <count>', `at most so many (1 to ${limitMax})`, limit)
    .option('--json', 'print JSON');
}

async function ask(wish: DeadLettersWish): Promise<DeadLetter[]> {
  return (await operate(readConfig(readEnv()), { command: 'dead-letters', wish })) as DeadLetter[];
}

function choiceOf({ kind, code, before, limit }: Filters): DeadLetterChoice {
  if (kind !== undefined && kind !== 'turn' && kind !== 'delivery')
    throw new AppError('bad_option', `--kind is "${kind}"; there are turn and delivery.`);
  if (before !== undefined && Number.isNaN(Date.parse(before)))
    throw new AppError('bad_option', `--before is "${before}"; a time is like 2026-11-24T12:00:00Z.`);
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > limitMax)
    throw new AppError('bad_option', `--limit is "${limit}"; it is a number from 1 to ${limitMax}.`);
  return {
    ...(kind !== undefined && { kind }),
    ...(code !== undefined && { code }),
    ...(before !== undefined && { before: new Date(before).toISOString() }),
    limit: count,
  };
}

function print({ json }: { json?: boolean }, data: unknown, text: string): void {
  console.log(json ? JSON.stringify(data, undefined, 2) : text);
}

function describeList(letters: readonly DeadLetter[], none: string): string {
  return letters.length === 0 ? none : `${letters.map(line).join('\n')}\n`;
}

function line({ id, at, code, attempts, channel, platform }: DeadLetter): string {
  return `${id}  ${at}  ${platform}/${channel}  ${code}  (${attempts} attempts)`;
}

function describe(letter: ShownDeadLetter): string {
  const rows: [string, string | number][] = [
    ['id', letter.id],
    ['given up', letter.at],
    ['conversation', letter.conversationId],
    ['channel', `${letter.platform}/${letter.channel}`],
    ['code', letter.code],
    ['reason', letter.reason],
    ['attempts', letter.attempts],
    ['replays', letter.replays],
    letter.kind === 'turn' ? ['steps kept', letter.stepsKept] : ['parts sent', letter.partsSent],
    ...(letter.text === undefined ? [] : ([['text', letter.text]] as [string, string][])),
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n');
}
