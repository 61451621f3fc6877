import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AuditPage, readAuditActor } from '#audit/audit-trail.ts';
import { checkpointKeys } from '#audit/checkpoint-keys.ts';
import { checkpointFileOf } from '#audit/start-sealer.ts';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { loadMasterKeys } from '#config/secrets.ts';
import { AppError } from '#domain/errors.ts';
import { createKeyRing } from '#kernel/key-ring.ts';
import { allTrails, installationName, type WishedSearch } from './audit.ts';
import type { SetExitCode } from './exit-code.ts';
import { operate } from './operate.ts';
import { describeEvent, describeVerdict } from './shown-audit.ts';

const listedDefault = '50';
const exportedDefault = '100000';
const limitMax = 1_000_000;

const exitCodes = { whole: 0, tampered: 1, incomplete: 2 } as const;

export function addAuditCommand(program: Command, setExitCode: SetExitCode): void {
  const audit = program
    .command('audit')
    .description(
      'what was done and what was refused: look at it, take it along, show that nobody has changed it',
    );

  audit
    .command('verify')
    .description(
      'hash everything anew, and hold it against the seals and the checkpoints; exit code 0 whole, 1 tampered with, 2 incomplete or impossible to tell',
    )
    .option('--tenant <slug>', `one tenant, ${allTrails}, or ${installationName}`, allTrails)
    .option(
      '--checkpoints <files...>',
      'the files to hold it against, older ones first (DATA_DIR/audit when absent)',
    )
    .option('--json', 'print JSON')
    .action(async (flags: { tenant: string; checkpoints?: string[]; json?: boolean }) => {
      try {
        const config = readConfig(readEnv());
        const files = flags.checkpoints?.map((file) => resolve(file)) ?? [checkpointFileOf(config.auditDir)];
        const answer = await operate(config, {
          command: 'audit',
          wish: { act: 'verify', trail: flags.tenant, files },
        });
        if (!('verdict' in answer)) throw new TypeError('The answer is to another question.');
        const { verdict } = answer;
        console.log(flags.json ? JSON.stringify(verdict, undefined, 2) : describeVerdict(verdict));
        setExitCode(exitCodes[verdict.state]);
      } catch (error) {
        // What could not be looked at was not tampered with.
        if (!(error instanceof AppError)) throw error;
        console.error(error.message);
        setExitCode(exitCodes.incomplete);
      }
    });

  withFilters(audit.command('list'), listedDefault)
    .description('list the events of a trail, the latest first')
    .option('--json', 'print JSON')
    .action(async (tenant: string, filters: Filters & { json?: boolean }) => {
      const page = await ask(tenant, filters);
      if (filters.json) console.log(JSON.stringify(page, undefined, 2));
      else
        console.log(page.events.length === 0 ? 'There is none.' : page.events.map(describeEvent).join('\n'));
    });

  withFilters(audit.command('export'), exportedDefault)
    .description('print the events of a trail as JSON lines, the latest first')
    .action(async (tenant: string, filters: Filters) => {
      const page = await ask(tenant, filters);
      for (const event of page.events) console.log(JSON.stringify(event));
      if (page.nextCursor !== undefined)
        console.error(`There are more: go on with --cursor ${page.nextCursor}`);
    });

  audit
    .command('key')
    .description('print the public keys that checkpoints are signed with, the one in use first')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const ring = createKeyRing(loadMasterKeys(readConfig(readEnv()).masterKeys, { make: false }));
      const keys = checkpointKeys(ring).map(({ id, publicKey }) => ({
        id,
        publicKey: String(publicKey.export({ type: 'spki', format: 'pem' })),
      }));
      if (json) console.log(JSON.stringify({ keys }, undefined, 2));
      else for (const { id, publicKey } of keys) console.log(`${id}\n${publicKey}`);
    });
}

type Filters = {
  actor?: string;
  action?: string;
  resource?: string;
  outcome?: string;
  after?: string;
  before?: string;
  cursor?: string;
  limit: string;
};

function withFilters(command: Command, limit: string): Command {
  return command
    .argument('<tenant>', `the slug of a tenant, or ${installationName}`)
    .option('--actor <actor>', 'usr_…, key_…, or user, api_key, operator, system, nobody')
    .option('--action <action>', 'like revokeApiKey')
    .option('--resource <id>', 'the id of what it was done to')
    .option('--outcome <outcome>', 'allowed, refused or failed')
    .option('--after <time>', 'from a time on, like 2026-11-24T12:00:00Z')
    .option('--before <time>', 'those before a time')
    .option('--cursor <cursor>', 'go on behind an earlier answer')
    .option('--limit <count>', `at most so many (1 to ${limitMax})`, limit);
}

async function ask(trail: string, filters: Filters): Promise<AuditPage> {
  const { limit, ...search } = searchOf(filters);
  const wish = { act: 'read', trail, search, limit } as const;
  const answer = await operate(readConfig(readEnv()), { command: 'audit', wish });
  if (!('page' in answer)) throw new TypeError('The answer is to another question.');
  return answer.page;
}

function searchOf(filters: Filters): WishedSearch & { limit: number } {
  const { actor, action, resource, outcome, after, before, cursor } = filters;
  const limit = Number(filters.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > limitMax)
    throw new AppError('bad_option', `--limit is "${filters.limit}"; it is a number from 1 to ${limitMax}.`);
  const choice = actor === undefined ? undefined : readAuditActor(actor);
  if (actor !== undefined && choice === undefined)
    throw new AppError('bad_option', `--actor is "${actor}"; it is usr_…, key_…, or a kind of actor.`);
  if (outcome !== undefined && !isOutcome(outcome))
    throw new AppError('bad_option', `--outcome is "${outcome}"; there are allowed, refused and failed.`);
  return {
    ...(choice !== undefined && { actor: choice }),
    ...(action !== undefined && { action }),
    ...(resource !== undefined && { resourceId: resource }),
    ...(outcome !== undefined && { outcome }),
    ...(after !== undefined && { after: readTime('--after', after) }),
    ...(before !== undefined && { before: readTime('--before', before) }),
    ...(cursor !== undefined && { cursor }),
    limit,
  };
}

function isOutcome(text: string): text is 'allowed' | 'refused' | 'failed' {
  return text === 'allowed' || text === 'refused' || text === 'failed';
}

function readTime(option: string, text: string): string {
  if (Number.isNaN(Date.parse(text)))
    throw new AppError('bad_option', `${option} is "${text}"; a time is like 2026-11-24T12:00:00Z.`);
  return new Date(text).toISOString();
}
