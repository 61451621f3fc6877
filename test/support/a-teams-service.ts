import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Env } from '#config/env.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import {
  startTeamsSimulator,
  type TeamsSimulator,
  type TeamsSimulatorOptions,
} from '../../src/simulators/teams/simulator.ts';
import { aService, type Service, type ServiceOptions } from './a-service.ts';
import { eventually } from './eventually.ts';
import { planPlatformTenant, teamsChannelOf } from './platform-tenants.ts';

export const sharedBot = {
  appId: '11111111-2222-3333-4444-555555555555',
  password: 'the-shared-bot-password',
  name: 'Swarmgate',
};
/** The Entra tenant of the shop. */
export const contoso = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';

/** The shared bot, as the environment names it. */
export function teamsEnv(teams: TeamsSimulator): Env {
  return {
    TEAMS_APP_ID: sharedBot.appId,
    TEAMS_APP_PASSWORD: sharedBot.password,
    TEAMS_OPENID_METADATA_URL: teams.metadataUrl,
    TEAMS_LOGIN_URL: teams.loginUrl,
  };
}

export type TeamsServiceOptions = Omit<ServiceOptions, 'plans' | 'tenants'> & {
  teams?: TeamsSimulatorOptions;
  /** What is made once the service runs; one tenant with Contoso and the shared bot when absent. */
  plans?: (teams: TeamsSimulator, service: Service) => readonly ApplyPlan[];
};

type AtEnd = (end: () => Promise<void>) => void;
export type TeamsService = Service & { teams: TeamsSimulator };

/** Where Teams calls a bot: the shared one, or a channel's own. */
export function messagesUrlOf({ url }: { url: string }, channelKey?: string): string {
  return `${url}/webhooks/teams${channelKey === undefined ? '' : `/${channelKey}`}/messages`;
}

/** The tests of the pace set their own. */
const roomyLimits = { perThread: [{ count: 1_000, seconds: 1 }], perTenantPerSecond: 1_000 };

/** A service that is connected to a simulated Teams. */
export async function aTeamsService(
  { teams: teamsOptions, plans, ...options }: TeamsServiceOptions = {},
  atEnd: AtEnd = onTestFinished,
): Promise<TeamsService> {
  const teams = await startTeamsSimulator({ limits: roomyLimits, ...teamsOptions });
  atEnd(() => teams.close());
  const service = await aService(
    { ...options, env: { ...teamsEnv(teams), ...options.env }, plans: [] },
    atEnd,
  );
  teams.addApp({ ...sharedBot, messagesUrl: messagesUrlOf(service) });
  const shop = planPlatformTenant({ channels: [teamsChannelOf({ aadTenant: contoso })] });
  for (const plan of plans?.(teams, service) ?? [shop]) await service.app.apply(plan, { dryRun: false });
  return { ...service, teams };
}

/** One for all tests of a file whose promises do not disturb each other. */
export function sharedTeamsService(options: TeamsServiceOptions = {}): () => TeamsService {
  const ends: (() => Promise<void>)[] = [];
  let service: TeamsService | undefined;
  beforeAll(async () => {
    service = await aTeamsService(options, (end) => ends.unshift(end));
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  return () => {
    if (!service) throw new Error('The service has not been started yet.');
    return service;
  };
}

/** Waits until a conversation has as many posts of bots, none of them still being written; answers their texts. */
export function answersIn(teams: TeamsSimulator, conversation: string, count = 1): Promise<string[]> {
  return eventually(() => {
    const posts = teams.posts(conversation);
    const written = posts.filter(({ isStreaming }) => !isStreaming);
    if (written.length !== count)
      throw new Error(`There are ${written.length} posts: ${posts.map(({ text }) => text).join(' | ')}`);
    return written.map(({ text }) => text);
  });
}
