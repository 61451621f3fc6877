import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisConnections } from '#connections/redis.ts';
import type { RateLimit } from '#gateways/journey.ts';

const windowSeconds = 60;

/**
 * Counts in Redis when there is one, so that all processes share the count, and in memory otherwise or while Redis is
 * away. Good for rates, which may be forgotten; quotas belong in the database.
 */
export function createRateLimit(redis?: { connections: RedisConnections; prefix: string }): RateLimit {
  // Limits differ by tenant and may change: the library binds points to a limiter, so there is one for each number.
  const limiters = new Map<number, RateLimiterMemory | RateLimiterRedis>();

  const limiterOf = (limit: number) => {
    const known = limiters.get(limit);
    if (known) return known;
    const memory = new RateLimiterMemory({
      points: limit,
      duration: windowSeconds,
      keyPrefix: `rate:${limit}`,
    });
    const limiter = redis
      ? new RateLimiterRedis({
          storeClient: redis.connections.forCommands(),
          points: limit,
          duration: windowSeconds,
          keyPrefix: `${redis.prefix}:rate:${limit}`,
          insuranceLimiter: memory,
        })
      : memory;
    limiters.set(limit, limiter);
    return limiter;
  };

  return async (key, limit) => {
    try {
      const { remainingPoints, msBeforeNext } = await limiterOf(limit).consume(key);
      return { allowed: true, remaining: remainingPoints, resetMs: msBeforeNext };
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { allowed: false, retryAfterMs: refusal.msBeforeNext };
      throw refusal;
    }
  };
}
