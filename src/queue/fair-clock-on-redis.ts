import type { RedisConnections } from '#connections/redis.ts';
import { type FairClock, halfRange, horizon, movedBelow } from './fair-clock.ts';

/**
 * KEYS  the clock (a hash: virtual, base, moving), the tenants' finishes (a sorted set)
 * ARGV  the three measures of fair-clock.ts, what to do, and what that needs
 *
 * It is the same as the functions of prisma/migrations/0009_fair_queue do for a queue in the database.
 */
const script = `
local half, horizon, moved_below = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'virtual', 'base', 'moving')
local virtual, base, moving = tonumber(held[1] or 0), tonumber(held[2] or 0), held[3] == '1'

if ARGV[4] == 'assign' then
  local priorities, beside = {}, {}
  for i = 5, #ARGV, 3 do
    local tenant, cost, start = ARGV[i], tonumber(ARGV[i + 1])
    if ARGV[i + 2] == '1' then
      local finish = tonumber(redis.call('ZSCORE', KEYS[2], tenant) or 0)
      start = math.min(math.max(finish, virtual), virtual + horizon)
      redis.call('ZADD', KEYS[2], start + cost, tenant)
    else
      start = virtual + (beside[tenant] or 0)
      beside[tenant] = (beside[tenant] or 0) + cost
    end
    priorities[#priorities + 1] = math.min(start - base + 1, 2 * half - 1)
  end
  return priorities
end

if ARGV[4] == 'advance' then
  local priority = tonumber(ARGV[5])
  local start = base + priority - 1
  if moving and priority > moved_below then start = start - half end
  if start <= virtual then return 0 end
  if start - base >= half then
    if not moving then redis.call('HSET', KEYS[1], 'base', base + half) end
    redis.call('HSET', KEYS[1], 'moving', 1)
  end
  redis.call('HSET', KEYS[1], 'virtual', start)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', start)
  return 1
end

if ARGV[4] == 'charge' then
  local finish = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[5]) or virtual)
  redis.call('ZADD', KEYS[2], finish + tonumber(ARGV[6]), ARGV[5])
  return 0
end

if ARGV[4] == 'forget' then return redis.call('ZREM', KEYS[2], ARGV[5]) end
if ARGV[4] == 'moved' then redis.call('HSET', KEYS[1], 'moving', 0) end
return moving and 1 or 0
`;

type FairRedis = { swarmgateFairClock(...values: (string | number)[]): Promise<unknown> };

/** The clock of a queue in Redis: the same for all processes, and gone together with what waits there. */
export function createFairClockOnRedis(
  redis: Pick<RedisConnections, 'forCommands'>,
  prefix: string,
  queue: string,
): FairClock {
  const commands = redis.forCommands();
  commands.defineCommand('swarmgateFairClock', { numberOfKeys: 2, lua: script });
  const keys = [`${prefix}:fair:${queue}`, `${prefix}:fair:${queue}:finishes`];
  const run = (...values: (string | number)[]) =>
    (commands as unknown as FairRedis).swarmgateFairClock(...keys, halfRange, horizon, movedBelow, ...values);

  return {
    assign: async (starts) =>
      (await run(
        'assign',
        ...starts.flatMap(({ tenantId, cost, charged }) => [tenantId, cost, charged ? 1 : 0]),
      )) as number[],
    async advance(priority) {
      await run('advance', priority);
    },
    async charge(tenantId, cost) {
      await run('charge', tenantId, cost);
    },
    async forget(tenantId) {
      await run('forget', tenantId);
    },
    isMoving: async () => (await run('isMoving')) === 1,
    async moved() {
      await run('moved');
    },
  };
}
