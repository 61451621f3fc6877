import { Redis } from 'ioredis';

/** The process's connections to Redis (6.2 or later) or Valkey. Each use has its own, because each waits differently. */
export interface RedisConnections {
  /** Answers or fails at once while Redis is away. */
  forCommands(): Redis;
  /** Waits for Redis to come back; for blocking reads. */
  forWorkers(): Redis;
  /** Only listens: a subscribed connection takes no other command. */
  forSubscriptions(): Redis;
  close(): Promise<void>;
}

export function connectRedis(url: string, onError: (error: Error) => void): RedisConnections {
  const opened: Redis[] = [];
  let commands: Redis | undefined;

  const open = (options: { maxRetriesPerRequest: number | null; enableOfflineQueue: boolean }) => {
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
    forCommands: () => (commands ??= open({ maxRetriesPerRequest: 1, enableOfflineQueue: true })),
    forWorkers: () => open({ maxRetriesPerRequest: null, enableOfflineQueue: true }),
    forSubscriptions: () => open({ maxRetriesPerRequest: null, enableOfflineQueue: true }),
    async close() {
      for (const redis of opened.splice(0)) redis.disconnect();
    },
  };
}
