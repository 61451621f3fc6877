import type { Env } from '#config/env.ts';
import { startSlackSimulator } from '../../src/simulators/slack/simulator.ts';
import { startModelServer } from '../fakes/model-server.ts';
import { answerByEcho } from './echo-model.ts';
import { type Link, links, type ProcessName, processNames } from './fault-plan.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { makeInstallation } from './installation.ts';
import { startOwnRedis } from './own-redis.ts';
import { type RoleProcess, startRoleProcess } from './role-process.ts';

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** The role that each process has. Two of each but the api, whose outage the platform bridges by telling again. */
const rolesOf: Record<ProcessName, string> = {
  api: 'api',
  'worker-1': 'worker',
  'worker-2': 'worker',
  'sockets-1': 'sockets,scheduler',
  'sockets-2': 'sockets,scheduler',
};

export const sharedApp = { appId: 'AFAULTS', signingSecret: 'the-shared-signing-secret' };

/** Slack's own are 0, one minute and five minutes: too few and too long for a run of seconds. */
const retryDelaysMs = [100, 500, 1_000, 2_000, 3_000, 5_000, 5_000, 10_000, 10_000, 20_000, 30_000, 30_000];

/**
 * Everything that runs play on, made once: a database, a Redis, a simulated Slack and a model of our own, and a process
 * of each role, every one of which has a network of its own to each server.
 */
export async function openStage(databasePrefix = 'swarmgate_faults_') {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const installation = await made(makeInstallation(databasePrefix), (it) => it.remove());
    const redis = await made(startOwnRedis(), (it) => it.kill());
    const slack = await made(startSlackSimulator({ retryDelaysMs, echoesBots: false }), (it) => it.close());
    const model = await made(startModelServer(), (it) => it.close());
    model.answerBy(answerByEcho);

    const processes = new Map<ProcessName, RoleProcess>();
    const api = () => {
      const port = processes.get('api')?.port();
      return port === undefined ? undefined : { host: '127.0.0.1', port };
    };
    const events = await made(startFaultProxy(api), (it) => it.close());
    const proxies = new Map<ProcessName, Record<Exclude<Link, 'events'>, FaultProxy>>();
    const servers = {
      postgres: addressOf(installation.databaseUrl, 5_432),
      redis: addressOf(redis.url, 6_379),
      slack: addressOf(slack.url, 80),
    };
    for (const name of processNames) {
      const proxyOf = (server: keyof typeof servers) =>
        made(
          startFaultProxy(() => servers[server]),
          (it) => it.close(),
        );
      proxies.set(name, {
        postgres: await proxyOf('postgres'),
        redis: await proxyOf('redis'),
        slack: await proxyOf('slack'),
      });
    }

    const envOf = (name: ProcessName): Env => {
      const network = proxies.get(name);
      const through = (url: string, link: Exclude<Link, 'events'>) => {
        const address = new URL(url);
        address.hostname = '127.0.0.1';
        address.port = String(network?.[link].port);
        return address.href;
      };
      return {
        ...installation.env,
        ROLES: rolesOf[name],
        LOG_LEVEL: 'info',
        DATABASE_URL: through(installation.databaseUrl, 'postgres'),
        REDIS_URL: through(redis.url, 'redis'),
        SLACK_APP_ID: sharedApp.appId,
        SLACK_SIGNING_SECRET: sharedApp.signingSecret,
        SLACK_API_URL: through(slack.apiUrl, 'slack'),
        COMPATIBLE_BASE_URL: `${model.url}/v1`,
        COMPATIBLE_API_KEY: model.key,
      };
    };
    // The first start builds what the others find: one after the other, and the rest together.
    const start = async (name: ProcessName) => {
      const started = await made(startRoleProcess(name, envOf(name)), (it) => it.close());
      processes.set(name, started);
      await started.isReady();
    };
    await start('api');
    await Promise.all(processNames.filter((name) => name !== 'api').map(start));

    const apiUrl = `http://127.0.0.1:${events.port}`;
    slack.addApp({ ...sharedApp, eventsUrl: `${apiUrl}/webhooks/slack/events` });
    return {
      ...{ installation, redis, slack, model, close },
      /** Where platforms and pages find the api, by the network that is between them. */
      apiUrl,
      process(name: ProcessName): RoleProcess {
        const found = processes.get(name);
        if (!found) throw new RangeError(`There is no process ${name}.`);
        return found;
      },
      processes: () => [...processes.values()],
      /** The networks that a fault of a link is about. */
      networks(link: Link, whose: ProcessName | 'all'): FaultProxy[] {
        if (link === 'events') return [events];
        const names = whose === 'all' ? processNames : [whose];
        return names.flatMap((name) => proxies.get(name)?.[link] ?? []);
      },
      /** Ends whatever is still wrong with the networks. */
      heal(): void {
        for (const link of links) for (const network of this.networks(link, 'all')) network.heal();
      },
      allReady: () => Promise.all([...processes.values()].map((one) => one.isReady())),
    };
  } catch (error) {
    await close();
    throw error;
  }

  async function made<Thing>(
    making: Promise<Thing>,
    end: (thing: Thing) => Promise<unknown>,
  ): Promise<Thing> {
    const thing = await making;
    ends.push(() => end(thing));
    return thing;
  }
}

function addressOf(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || defaultPort) };
}
