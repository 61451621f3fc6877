import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProcess, runScript, startProcess } from '../processes.ts';
import type { Servers } from '../servers.ts';
import { appId, botTokenOf, signingSecret, teamOf } from '../slack/events.ts';
import { type Subject, subjectOf } from './subject.ts';

export type Installation = {
  env: NodeJS.ProcessEnv;
  databaseUrl: string;
  remove(): void;
};

const cli = 'bin/swarmgate.js';

/**
 * Prepares a database and applies the tenants, each with its share of the workspaces of the shared app and `builtin/echo`.
 * Nobody is slowed down by the ceiling of the plan, unless told, and a few tenants may have many workspaces, because
 * deliveries of one channel that are too many at once are put off: neither is what is measured.
 */
export async function install(
  servers: Servers,
  {
    tenants,
    workspaces = tenants,
    hasCeilings = false,
    apiUrl,
  }: { tenants: number; workspaces?: number; hasCeilings?: boolean; apiUrl: string },
): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmgate-bench-'));
  const databaseUrl = await servers.createDatabase();
  const env = {
    DATA_DIR: folder,
    PORT: '0',
    LOG_LEVEL: 'info',
    DATABASE_URL: databaseUrl,
    REDIS_URL: await servers.takeRedis(),
    MASTER_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
    SLACK_APP_ID: appId,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: apiUrl,
  };
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, applyFile(tenants, workspaces, hasCeilings));
  await runScript(cli, ['migrate'], env);
  await runScript(cli, ['apply', file], env);
  return { env, databaseUrl, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** One process that takes messages and one that answers them. */
export async function startSwarmgate(name: string, made: Installation): Promise<Subject> {
  return subjectOf(name, eventsPath, [await startApi(made), await startWorker(made)]);
}

export const eventsPath = '/webhooks/slack/events';

export const startApi = ({ env }: Installation): Promise<RunningProcess> =>
  startProcess(cli, ['start'], { ...env, ROLES: 'api,scheduler' });

export const startWorker = ({ env }: Installation): Promise<RunningProcess> =>
  startProcess(cli, ['start'], { ...env, ROLES: 'worker' });

function applyFile(tenants: number, workspaces: number, hasCeilings: boolean): string {
  const channel = (workspace: number) => `
          - { slug: slack-${workspace}, platform: slack, workspace: ${teamOf(workspace)}, botToken: ${botTokenOf(workspace)} }`;
  const channelsOf = (tenant: number) =>
    Array.from({ length: Math.ceil((workspaces - tenant) / tenants) }, (_, n) =>
      channel(tenant + n * tenants),
    );
  const one = (_: unknown, tenant: number) => `      - slug: tenant-${tenant}
        name: Tenant ${tenant}
        quotas: { ${hasCeilings ? '' : 'concurrentConversations: 1000'} }
        agents: [{ slug: default, model: builtin/echo }]
        channels:${channelsOf(tenant).join('')}
`;
  return `organizations:\n  - slug: bench\n    name: Bench\n    tenants:\n${Array.from({ length: tenants }, one).join('')}`;
}
