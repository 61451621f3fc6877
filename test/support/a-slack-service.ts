import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Env } from '#config/env.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import {
  type SlackSimulator,
  type SlackSimulatorOptions,
  startSlackSimulator,
} from '../../src/simulators/slack/simulator.ts';
import { aService, type Service, type ServiceOptions } from './a-service.ts';
import { eventually } from './eventually.ts';
import { planPlatformTenant, slackChannelOf } from './platform-tenants.ts';

export const sharedApp = {
  appId: 'A1',
  signingSecret: 'the-shared-signing-secret',
  clientId: '1.1',
  clientSecret: 'the-shared-client-secret',
};

/** The shared app, as the environment names it. */
export function slackEnv(slack: SlackSimulator): Env {
  return {
    SLACK_APP_ID: sharedApp.appId,
    SLACK_SIGNING_SECRET: sharedApp.signingSecret,
    SLACK_CLIENT_ID: sharedApp.clientId,
    SLACK_CLIENT_SECRET: sharedApp.clientSecret,
    SLACK_API_URL: slack.apiUrl,
  };
}

export type SlackServiceOptions = Omit<ServiceOptions, 'plans' | 'tenants'> & {
  slack?: SlackSimulatorOptions;
  /** What is made once the workspaces are there; one tenant with workspace T1 of the shared app when absent. */
  plans?: (slack: SlackSimulator, service: Service) => readonly ApplyPlan[];
};

type AtEnd = (end: () => Promise<void>) => void;
export type SlackService = Service & {
  slack: SlackSimulator;
  /** The bot of the shared app in T1, where nothing else was planned. */
  botUserId: string;
};

/** A service that is connected to a simulated Slack, with the shared app in workspace T1 and one tenant that owns it. */
export async function aSlackService(
  { slack: slackOptions, plans, ...options }: SlackServiceOptions = {},
  atEnd: AtEnd = onTestFinished,
): Promise<SlackService> {
  const slack = await startSlackSimulator({ limits: roomyLimits, ...slackOptions });
  atEnd(() => slack.close());
  const service = await aService(
    {
      ...options,
      env: { ...slackEnv(slack), ...options.env },
      plans: [],
    },
    atEnd,
  );
  slack.addApp({ ...sharedApp, ...addressesOf(service) });
  const shop = plans ? undefined : planShop(slack);
  for (const plan of plans?.(slack, service) ?? [shop?.plan])
    if (plan) await service.app.apply(plan, { dryRun: false });
  return { ...service, slack, botUserId: shop?.botUserId ?? '' };
}

/** The tests of the pace set their own. */
const roomyLimits = {
  postsPerSecond: 1_000,
  postBurst: 1_000,
  perMinute: { 1: 1e5, 2: 1e5, 3: 1e5, 4: 1e5 },
};

/** The addresses of an app: those of the shared one, or of a channel's own. */
export function addressesOf({ url }: { url: string }, channelKey?: string) {
  const base = `${url}/webhooks/slack${channelKey === undefined ? '' : `/${channelKey}`}`;
  return {
    eventsUrl: `${base}/events`,
    interactionsUrl: `${base}/interactions`,
    commandsUrl: `${base}/commands`,
    // As the service knows itself while it has no PUBLIC_URL.
    redirectUrls: [`${base.replace('127.0.0.1', 'localhost')}/oauth`],
  };
}

function planShop(slack: SlackSimulator): { plan: ApplyPlan; botUserId: string } {
  slack.addWorkspace({ teamId: 'T1' });
  const { botToken, botUserId } = slack.install(sharedApp.appId, 'T1');
  return {
    plan: planPlatformTenant({ channels: [slackChannelOf({ workspace: 'T1', botToken })] }),
    botUserId,
  };
}

/** One for all tests of a file whose promises do not disturb each other. */
export function sharedSlackService(options: SlackServiceOptions = {}): () => SlackService {
  const ends: (() => Promise<void>)[] = [];
  let service: SlackService | undefined;
  beforeAll(async () => {
    service = await aSlackService(options, (end) => ends.unshift(end));
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => {
    if (!service) throw new Error('The service has not been started yet.');
    return service;
  };
}

/** Waits until a place of a workspace has as many posts of bots, none of them still being written; answers their texts. */
export function postsOf(
  slack: SlackSimulator,
  teamId: string,
  channel: string,
  { threadTs, count = 1 }: { threadTs?: string; count?: number } = {},
): Promise<string[]> {
  return eventually(async () => {
    const posts = slack.posts(teamId, channel, threadTs);
    const written = posts.filter(({ streaming }) => !streaming);
    if (written.length !== count)
      throw new Error(
        `There are ${written.length} posts: ${posts.map(({ finalText }) => finalText).join(' | ')}`,
      );
    return written.map(({ finalText }) => finalText);
  });
}
