/**
 * `npm run bench:tenants`: what many tenants cost one process, beside one tenant with as many messages in the same run.
 *
 * Each message comes from a simulated Slack and is answered there by `builtin/echo`, on the embedded database. The many
 * are 1,000 workspaces of the shared app and 50 with apps of tenants' own. After it the service is started once more on
 * what it has.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SlackSimulator, startSlackSimulator } from '../src/simulators/slack/simulator.ts';
import { applyDocument, type RunningService, startService } from './running-service.ts';

const sharedTenants = 1_000;
const ownApps = 50;
const messages = sharedTenants + ownApps;
const atOnce = 25;
const shared = { appId: 'A0', signingSecret: 'bench' };

type Workspace = { team: string; app: string; bot: string; channel: string };
type Figures = {
  readyMs: number;
  applyMs: number;
  idleMb: number;
  workedMb: number;
  perSecond: number;
  againMs: number;
};

const one = await measure((slack) => {
  slack.addWorkspace({ teamId: 'T0' });
  const { botToken, botUserId: bot } = slack.install(shared.appId, 'T0');
  const workspaces = Array.from({ length: messages }, (_, n) => ({
    team: 'T0',
    app: shared.appId,
    bot,
    channel: `C${n}`,
  }));
  return { workspaces, tenants: [tenantOf('one', `workspace: T0, botToken: ${botToken}`)] };
});
const many = await measure((slack, { url }) => {
  const workspaces: Workspace[] = [];
  const tenants = Array.from({ length: messages }, (_, n) => {
    const team = `T${n}`;
    const own = n >= sharedTenants;
    const app = own ? `A${n}` : shared.appId;
    slack.addWorkspace({ teamId: team });
    if (own) slack.addApp({ appId: app, signingSecret: `secret-${n}`, ...addresses(url, `/ck_own${n}`) });
    const { botToken, botUserId: bot } = slack.install(app, team);
    workspaces.push({ team, app, bot, channel: 'C0' });
    const ownKeys = own ? `, key: ck_own${n}, appId: ${app}, signingSecret: secret-${n}` : '';
    return tenantOf(`tenant-${n}`, `workspace: ${team}, botToken: ${botToken}${ownKeys}`);
  });
  return { workspaces, tenants };
});
console.log(describe(one, many));

async function measure(
  plan: (slack: SlackSimulator, service: RunningService) => { workspaces: Workspace[]; tenants: string[] },
): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'swarmgate-bench-'));
  const perMinute = { 1: 1e6, 2: 1e6, 3: 1e6, 4: 1e6 };
  const slack = await startSlackSimulator({ limits: { postsPerSecond: 1e6, postBurst: 1e6, perMinute } });
  const env = {
    ...process.env,
    ...{ DATA_DIR: directory, PORT: '0', LOG_LEVEL: 'info', DATABASE_URL: '', REDIS_URL: '' },
    ...{
      SLACK_APP_ID: shared.appId,
      SLACK_SIGNING_SECRET: shared.signingSecret,
      SLACK_API_URL: slack.apiUrl,
    },
  };
  try {
    const service = await startService(env);
    slack.addApp({ ...shared, ...addresses(service.url, '') });
    const { workspaces, tenants } = plan(slack, service);
    const applyStartedAt = performance.now();
    await applyDocument(
      env,
      directory,
      `organizations:\n  - slug: bench\n    name: Bench\n    tenants:\n${tenants.join('')}`,
    );
    const applyMs = performance.now() - applyStartedAt;
    const idleMb = service.memoryMb();
    const perSecond = await talk(slack, workspaces);
    const workedMb = service.memoryMb();
    await service.stop();
    const again = await startService(env);
    await again.stop();
    if (slack.violations.length > 0) throw new Error('A token was used for what is another’s.');
    return { readyMs: service.readyInMs, applyMs, idleMb, workedMb, perSecond, againMs: again.readyInMs };
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

function describe(first: Figures, second: Figures): string {
  const row = (what: string, read: (figures: Figures) => number, unit: string, digits = 0) =>
    `${what.padEnd(34)}${[first, second].map((one) => `${read(one).toFixed(digits)} ${unit}`.padStart(14)).join('')}${(read(second) / read(first)).toFixed(2).padStart(9)}`;
  return [
    `${''.padEnd(34)}${'1 tenant'.padStart(14)}${`${messages} tenants`.padStart(14)}${'ratio'.padStart(9)}`,
    row('apply', ({ applyMs }) => applyMs / 1_000, 's', 1),
    row('memory before the first message', ({ idleMb }) => idleMb, 'MB'),
    row(`memory after ${messages} answers`, ({ workedMb }) => workedMb, 'MB'),
    row('answers', ({ perSecond }) => perSecond, '/s'),
    row('ready, new data', ({ readyMs }) => readyMs / 1_000, 's', 1),
    row('ready, started again', ({ againMs }) => againMs / 1_000, 's', 1),
  ].join('\n');
}
