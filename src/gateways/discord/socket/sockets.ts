import type { Uuid } from '#domain/ids.ts';
import { within } from '#kernel/within.ts';
import type { ChannelDirectory } from '../../journey.ts';
import type { AppFinder } from '../channel.ts';
import { askGateway } from './identify-pace.ts';
import { keepShard, type ShardKeeperParts, type SocketBot } from './shard-keeper.ts';
import { createShardPlanner } from './shard-plan.ts';

export type DiscordSocketsParts = ShardKeeperParts & {
  apps: AppFinder;
  channels: Pick<ChannelDirectory, 'listClaims' | 'find'>;
  /** How often Discord is asked how many shards it recommends. */
  askShardsEveryMs?: number;
  /** How long to wait when it did not say; twice as long each time. */
  askAgainMs?: number;
};

/** A bot that wants a socket: the shared one, or one of a tenant's own. */
type WantedApp = { applicationId: string; channel: { tenantId: Uuid; channelId: Uuid } | undefined };
type KeptApp = { wanted: WantedApp; stop(): Promise<void> };

const pollMs = 2_000;
const stopTimeoutMs = 3_000;
/** Of the lease under which Discord is asked; the rest is for writing down what it said. */
const askShareOfLease = 0.6;
const askEveryMsDefault = 30 * 60_000;
const askAgainMs = 15_000;
/** Of a token that was refused nothing changes by itself; a new one is tried at the next look. */
const askRefusedMs = 60_000;
const askAgainMsMax = 5 * 60_000;

/**
 * Keeps a socket open for each shard of each bot (https://discord.com/developers/docs/events/gateway#sharding), over all
 * processes one. Bots come and go while it runs. `stop` closes all sockets, so that others can go on with their sessions.
 */
export function startDiscordSockets(parts: DiscordSocketsParts): { stop(): Promise<void> } {
  const { channels, apps, logger } = parts;
  const kept = new Map<string, KeptApp>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let polling = Promise.resolve();

  async function listWanted(): Promise<Map<string, WantedApp>> {
    const claims = await channels.listClaims('discord', 'socket');
    const own = claims.map(({ key, tenantId, channelId }) => ({
      applicationId: key,
      channel: { tenantId, channelId },
    }));
    const shared = apps.shared ? [{ applicationId: apps.shared.applicationId, channel: undefined }] : [];
    return new Map([...own, ...shared].map((wanted) => [wanted.applicationId, wanted]));
  }

  async function poll(): Promise<void> {
    const wanted = await listWanted();
    const gone = [...kept.values()].filter(
      (one) => !isSame(one.wanted, wanted.get(one.wanted.applicationId)),
    );
    // Closed before the same bot is opened for another channel.
    await Promise.all(gone.map((one) => one.stop().then(() => kept.delete(one.wanted.applicationId))));
    if (stopped) return;
    for (const one of wanted.values())
      if (!kept.has(one.applicationId)) kept.set(one.applicationId, { wanted: one, ...keepApp(parts, one) });
  }

  const run = () => {
    polling = poll()
      .catch((error: unknown) => logger.warn({ err: error }, 'the Discord bots could not be listed'))
      .finally(() => {
        if (!stopped) timer = setTimeout(run, pollMs);
      });
  };
  run();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const stops = [...kept.values()].map(({ stop }) => stop());
      await Promise.all([within(stopTimeoutMs, polling), ...stops]);
    },
  };
}

function isSame({ channel }: WantedApp, other: WantedApp | undefined): boolean {
  return other !== undefined && channel?.channelId === other.channel?.channelId;
}

const notSaid = 'Discord did not say how a bot is to connect';

/** It has been logged. */
class NotSaidError extends Error {
  override readonly name = 'NotSaidError';

  constructor(cause: unknown) {
    super(`Discord did not say how the bot is to connect: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Keeps each shard that a bot is to have, by the plan that all processes share. */
function keepApp(parts: DiscordSocketsParts, wanted: WantedApp): { stop(): Promise<void> } {
  const { apps, channels, lease, logger } = parts;
  const { applicationId } = wanted;
  const askEveryMs = () => (isCountWrong ? askRefusedMs : (parts.askShardsEveryMs ?? askEveryMsDefault));
  const planner = createShardPlanner({ lease, sessions: parts.sessions, askEveryMs }, applicationId);
  let shards: { generation: number; stops: (() => Promise<void>)[] } | undefined;
  /** Discord has closed a socket for the number of shards. */
  let isCountWrong = false;
  let askAfterMs = 0;
  /** How often in a row Discord has not said it. */
  let misses = 0;
  let refusedToken: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looking = Promise.resolve();

  async function bot(): Promise<SocketBot | undefined> {
    if (!wanted.channel) return apps.shared && { app: apps.shared, own: undefined };
    const own = await channels.find(wanted.channel.tenantId, wanted.channel.channelId);
    const app = own && apps.of(own);
    return own && app?.botToken !== undefined ? { app, own } : undefined;
  }

  async function ask({ app, own }: SocketBot) {
    try {
      const info = await askGateway(parts.api, app, AbortSignal.timeout(lease.leaseMs * askShareOfLease));
      refusedToken = undefined;
      isCountWrong = false;
      askAfterMs = 0;
      misses = 0;
      return info;
    } catch (error) {
      const { channelFault, retry } = error as { channelFault?: string; retry?: string };
      refusedToken = channelFault === undefined ? undefined : app.botToken;
      const pauseMs = (parts.askAgainMs ?? (retry === 'later' ? askAgainMs : askRefusedMs)) * 2 ** misses;
      const delayMs = Math.min(pauseMs, askAgainMsMax);
      askAfterMs = performance.now() + delayMs;
      misses += 1;
      // The fault is not ours: where it was thrown helps nobody.
      logger.warn({ reason: `${applicationId}: ${messageOf(error)}`, delayMs }, notSaid);
      if (channelFault !== undefined && own?.status === 'active') await parts.keeper.pause(own, channelFault);
      throw new NotSaidError(error);
    }
  }

  async function stopShards(): Promise<void> {
    const { stops } = shards ?? { stops: [] };
    await Promise.all(stops.map((stop) => stop()));
    shards = undefined;
  }

  async function look(): Promise<void> {
    const found = await bot();
    if (!found) return;
    const isNewToken = refusedToken !== undefined && found.app.botToken !== refusedToken;
    const mayAsk = performance.now() >= askAfterMs || isNewToken;
    const plan = await planner.look(mayAsk ? () => ask(found) : undefined, shards === undefined);
    if (stopped || !plan) return;
    if (shards && (plan.next !== undefined || plan.generation !== shards.generation)) {
      logger.info(
        { reason: applicationId, count: plan.next ?? plan.count },
        'a Discord bot gets another number of shards',
      );
      await stopShards();
    }
    if (stopped || shards || plan.next !== undefined) return;
    const { generation, count: shardCount, url, sinceMs } = plan;
    const onWrongCount = () => {
      isCountWrong = true;
    };
    const options = { applicationId, shardCount, generation, url, sinceMs, bot, onWrongCount };
    shards = {
      generation,
      stops: Array.from({ length: shardCount }, (_, shard) => keepShard(parts, { ...options, shard }).stop),
    };
  }

  const run = () => {
    looking = look()
      .catch((error: unknown) => {
        if (!(error instanceof NotSaidError))
          logger.warn({ err: error, reason: applicationId }, 'a Discord bot could not be looked after');
      })
      .finally(() => {
        if (!stopped) timer = setTimeout(run, pollMs);
      });
  };
  run();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await within(stopTimeoutMs, looking);
      await stopShards();
    },
  };
}
