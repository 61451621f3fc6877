import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SlackSimulator, startSlackSimulator } from '../../src/simulators/slack/simulator.ts';
import type { Figure } from '../figures.ts';
import { runScript, startProcess } from '../processes.ts';
import type { Scenario } from './scenario.ts';

const cli = 'bin/swarmgate.js';
const sharedTenants = 1_000;
const ownAppTenants = 50;
const atOnce = 25;
const sharedApp = { appId: 'A0', signingSecret: 'bench' };

type Workspace = { team: string; app: string; bot: string; channel: string };
type Figures = {
  applyMs: number;
  idleMb: number;
  workedMb: number;
  perSecond: number;
  againMs: number;
};

/**
 * Each message comes from the strict simulator of Slack, which refuses a credential that is another's, and is answered
 * there; on the embedded database. After it the service is started once more on what it has.
 */
export const ownApps: Scenario = {
  about:
    'one process without servers: 1,000 workspaces of a shared Slack app and 50 apps of tenants of their own; beside one tenant',
  async run({ scale }) {
    const shared = Math.round(sharedTenants * scale);
    const messages = shared + Math.round(ownAppTenants * scale);
    const one = await measure((slack) => planOne(slack, messages));
    const many = await measure((slack, url) => planMany(slack, url, shared, messages));
    const beside = (read: (figures: Figures) => number) => ({ what: 'one tenant', value: read(one) });
    const row = (what: string, unit: Figure['unit'], read: (figures: Figures) => number): Figure => ({
      ...{ what, unit, value: read(many), beside: beside(read) },
    });
    return [
      row('apply of all', 'ms', ({ applyMs }) => applyMs),
      row('memory before the first message', 'MB', ({ idleMb }) => idleMb),
      row('memory after an answer for each', 'MB', ({ workedMb }) => workedMb),
      row('answers', '/s', ({ perSecond }) => perSecond),
      row('start again', 'ms', ({ againMs }) => againMs),
    ];
  },
};

type Plan = { workspaces: Workspace[]; tenants: string[] };

function planOne(slack: SlackSimulator, messages: number): Plan {
  slack.addWorkspace({ teamId: 'T0' });
  const { botToken, botUserId: bot } = slack.install(sharedApp.appId, 'T0');
  const workspaces = Array.from({ length: messages }, (_, n) => ({
    ...{ team: 'T0', app: sharedApp.appId, bot, channel: `C${n}` },
  }));
  return { workspaces, tenants: [tenantOf('one', `workspace: T0, botToken: ${botToken}`)] };
}

function planMany(slack: SlackSimulator, url: string, shared: number, messages: number): Plan {
  const workspaces: Workspace[] = [];
  const tenants = Array.from({ length: messages }, (_, n) => {
    const team = `T${n}`;
    const own = n >= shared;
    const app = own ? `A${n}` : sharedApp.appId;
    slack.addWorkspace({ teamId: team });
    if (own) slack.addApp({ appId: app, signingSecret: `secret-${n}`, ...addresses(url, `/ck_own${n}`) });
    const { botToken, botUserId: bot } = slack.install(app, team);
    workspaces.push({ team, app, bot, channel: 'C0' });
    const ownKeys = own ? `, key: ck_own${n}, appId: ${app}, signingSecret: secret-${n}` : '';
    return tenantOf(`tenant-${n}`, `workspace: ${team}, botToken: ${botToken}${ownKeys}`);
  });
  return { workspaces, tenants };
}

async function measure(makePlan: (slack: SlackSimulator, url: string) => Plan): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'swarmgate-bench-'));
  const perMinute = { 1: 1e6, 2: 1e6, 3: 1e6, 4: 1e6 };
  const slack = await startSlackSimulator({ limits: { postsPerSecond: 1e6, postBurst: 1e6, perMinute } });
  const env = {
    ...{ DATA_DIR: directory, PORT: '0', LOG_LEVEL: 'info', DATABASE_URL: '', REDIS_URL: '' },
    ...{
      SLACK_APP_ID: sharedApp.appId,
      SLACK_SIGNING_SECRET: sharedApp.signingSecret,
      SLACK_API_URL: slack.apiUrl,
    },
  };
  try {
    const service = await startProcess(cli, ['start'], env);
    slack.addApp({ ...sharedApp, ...addresses(service.url, '') });
    const { workspaces, tenants } = makePlan(slack, service.url);
    const applyStartedAt = performance.now();
    const file = join(directory, 'bench.yaml');
    writeFileSync(
      file,
      `organizations:\n  - slug: bench\n    name: Bench\n    tenants:\n${tenants.join('')}`,
    );
    await runScript(cli, ['apply', file], env);
    const applyMs = performance.now() - applyStartedAt;
    const idleMb = service.memoryMb();
    const perSecond = await talk(slack, workspaces);
    const workedMb = service.memoryMb();
    await service.stop();
    const again = await startProcess(cli, ['start'], env);
    await again.stop();
    if (slack.violations.length > 0) throw new Error('A token was used for what is another’s.');
    return { applyMs, idleMb, workedMb, perSecond, againMs: again.readyInMs };
  } finally {
    await slack.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Says one thing everywhere and waits for every answer; answers how many came in a second. */
async function talk(slack: SlackSimulator, workspaces: readonly Workspace[]): Promise<number> {
  const startedAt = performance.now();
  for (let from = 0; from < workspaces.length; from += atOnce) {
    const some = workspaces.slice(from, from + atOnce);
    await Promise.all(
      some.map(({ team, channel, bot, app }) =>
        slack.say(team, { user: 'U1', channel, text: `<@${bot}> hello`, app }),
      ),
    );
  }
  const isUnanswered = ({ team, channel }: Workspace) => slack.posts(team, channel).length === 0;
  while (workspaces.some(isUnanswered)) await new Promise((resolve) => setTimeout(resolve, 50));
  return workspaces.length / ((performance.now() - startedAt) / 1_000);
}

function addresses(url: string, key: string) {
  const base = `${url}/webhooks/slack${key}`;
  return {
    eventsUrl: `${base}/events`,
    interactionsUrl: `${base}/interactions`,
    commandsUrl: `${base}/commands`,
  };
}

function tenantOf(slug: string, channel: string): string {
  return `      - slug: ${slug}
        name: ${slug}
        agents: [{ slug: default, model: builtin/echo }]
        channels: [{ slug: slack, platform: slack, ${channel} }]
`;
}
