import { Redis } from 'ioredis';

/** The process's connections to Redis (6.2 or later) or Valkey. Each use has its own, because each waits differently. */
export interface RedisConnections {
  /** Answers or fails within a second, and at once while there is no connection: visitors wait for it. */
  forCommands(): Redis;
  /** Waits for Redis to come back; for blocking reads. */
  forWorkers(): Redis;
  /** Only listens: a subscribed connection takes no other command. */
  forSubscriptions(): Redis;
  close(): Promise<void>;
}

type Patience = {
  maxRetriesPerRequest: number | null;
  enableOfflineQueue?: boolean;
  commandTimeout?: number;
};

/** A Redis that says nothing for so long (its network is gone, its host hangs) counts as away. */
const commandTimeoutMs = 1_000;

export function connectRedis(url: string, onError: (error: Error) => void): RedisConnections {
  const opened: Redis[] = [];
  let commands: Redis | undefined;

  const open = (options: Patience) => {
    const redis = new Redis(url, {
      ...options,
      connectionName: 'swarmgate',
      retryStrategy: (attempt) => Math.min(100 * 2 ** attempt, 3_000),
    });
    redis.on('error', onError);
    opened.push(redis);
    return redis;
  };

  return {
    forCommands: () =>
      (commands ??= open({
        maxRetriesPerRequest: 1,
        enableOfflineQueue: false,
        commandTimeout: commandTimeoutMs,
      })),
    forWorkers: () => open({ maxRetriesPerRequest: null }),
    forSubscriptions: () => open({ maxRetriesPerRequest: null }),
    async close() {
      for (const redis of opened.splice(0)) redis.disconnect();
    },
  };
}
