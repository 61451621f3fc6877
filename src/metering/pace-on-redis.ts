import type { RedisConnections } from '#connections/redis.ts';
import type { PaceBudget } from '#gateways/journey.ts';
import { createPaceInProcess } from './pace-in-process.ts';

/**
 * KEYS  a credential's bucket (a hash: full, line; in milliseconds of Redis' own clock)
 * ARGV  interval, cost, burst, the longest wait; or 'back' and how much
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local held = redis.call('HMGET', KEYS[1], 'full', 'line')
local full, line = tonumber(held[1] or 0), tonumber(held[2] or 0)

if ARGV[1] == 'back' then
  if full > 0 then redis.call('HSET', KEYS[1], 'full', full - tonumber(ARGV[2])) end
  return {1, 0}
end

local interval, cost, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
full = math.max(full, now)
local wait = full - now - (burst - 1) * interval
local granted = wait <= longest
if granted then
  full = full + cost * interval
else
  line = math.max(line, now + wait)
  wait = line - now
  line = line + cost * interval
end
redis.call('HSET', KEYS[1], 'full', full, 'line', line)
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(full, line) - now) + 1000)
return {granted and 1 or 0, math.ceil(math.max(wait, 0))}
`;

type PaceRedis = {
  swarmgatePace(...values: (string | number)[]): Promise<[granted: number, waitMs: number]>;
};

/** The budgets of all processes together; while Redis is away, each process keeps its own. */
export function createPaceOnRedis(redis: Pick<RedisConnections, 'forCommands'>, prefix: string): PaceBudget {
  const commands = redis.forCommands();
  commands.defineCommand('swarmgatePace', { numberOfKeys: 1, lua: script });
  const run = (key: string, ...values: (string | number)[]) =>
    (commands as unknown as PaceRedis).swarmgatePace(`${prefix}:pace:${key}`, ...values);
  const alone = createPaceInProcess();

  return {
    async reserve(key, pace, waitMsMax) {
      const { intervalMs, cost, burst } = pace;
      const answer = await run(key, intervalMs, cost, burst, waitMsMax).catch(() => undefined);
      if (!answer) return alone.reserve(key, pace, waitMsMax);
      return { granted: answer[0] === 1, waitMs: answer[1] };
    },
    async giveBack(key, { intervalMs, cost }) {
      // A place that stays taken costs those behind it a moment, once.
      await run(key, 'back', cost * intervalMs).catch(() => {});
    },
  };
}
