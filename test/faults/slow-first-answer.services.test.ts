import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '#connections/redis.ts';
import { createLogger } from '#kernel/logger.ts';
import { createFairClockOnRedis } from '#queue/fair-clock-on-redis.ts';
import { createWakeQueue } from '#queue/wake-queue.ts';
import { eventually } from '../support/eventually.ts';
import { removeRedisKeys } from '../support/own-databases.ts';
import { testRedisUrl } from '../support/test-backend.ts';

test('a process whose first question to Redis got no answer in time has a queue all the same', async () => {
  const prefix = `swarmgate-test-${randomUUID()}`;
  const redis = connectRedis(testRedisUrl(), () => {});
  const commands = redis.forCommands();
  const info = commands.info.bind(commands) as (...given: unknown[]) => Promise<string>;
  commands.info = ((...given: unknown[]) =>
    // ioredis' own question when it connects brings a callback; it is not meant.
    given.length > 0
      ? info(...given)
      : Promise.reject(new Error('Command timed out'))) as typeof commands.info;
  const queue = createWakeQueue({
    logger: createLogger('silent'),
    clockOf: (name) => createFairClockOnRedis(redis, prefix, name),
    backend: { kind: 'redis', redis, prefix },
  });
  onTestFinished(async () => {
    await queue.close();
    await redis.close();
    await removeRedisKeys(prefix);
  });

  await eventually(async () => expect(await queue.isReachable()).toBe(true), 5_000);
});
