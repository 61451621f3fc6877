import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '#connections/redis.ts';
import { newId } from '#domain/ids.ts';
import { createLogger } from '#kernel/logger.ts';
import { halfRange } from '#queue/fair-clock.ts';
import { createFairClockOnPostgres } from '#queue/fair-clock-on-postgres.ts';
import { createFairClockOnRedis } from '#queue/fair-clock-on-redis.ts';
import type { WakeUp } from '#queue/job.ts';
import { createWakeQueue } from '#queue/wake-queue.ts';
import { insertTenants } from '../isolation/tenant-rows.ts';
import { aDatabase } from '../support/a-database.ts';
import { eventually } from '../support/eventually.ts';
import { removeRedisKeys } from '../support/own-databases.ts';
import { testBackend, testRedisUrl } from '../support/test-backend.ts';

/** In which order BullMQ serves what the clock has given priorities, on the backend of this run. */

const [first, noisy, quiet] = [newId(), newId(), newId()];

async function aQueue() {
  const database = await aDatabase();
  await database.asOwner((client) => insertTenants(client, newId(), [first, noisy, quiet]));
  const prefix = `swarmgate-test-${randomUUID()}`;
  const redis = testBackend() === 'services' ? connectRedis(testRedisUrl(), () => {}) : undefined;
  const clockOf = (name: string) =>
    redis ? createFairClockOnRedis(redis, prefix, name) : createFairClockOnPostgres(database.scopes, name);
  const queue = createWakeQueue({
    logger: createLogger('silent'),
    clockOf,
    backend: redis
      ? { kind: 'redis', redis, prefix }
      : { kind: 'postgres', pool: database.database.queuePool },
  });
  onTestFinished(async () => {
    await queue.stopWork(5_000);
    await queue.close();
    if (!redis) return;
    await redis.close();
    await removeRedisKeys(prefix);
  });
  await eventually(async () => expect(await queue.isReachable()).toBe(true));
  return { queue, clock: clockOf('turn-v1') };
}

/** One of the first tenant's is served until the test lets it go; then all the others, one after the other. */
function serveInOrder(queue: Awaited<ReturnType<typeof aQueue>>['queue']) {
  const served: string[] = [];
  const gate = Promise.withResolvers<void>();
  queue.work(
    'turn',
    async ({ tenantId, conversationId }) => {
      served.push(conversationId);
      if (tenantId === first) await gate.promise;
      return undefined;
    },
    1,
  );
  return { served, open: () => gate.resolve() };
}

const wakeUps = (tenantId: string, count: number): (WakeUp & { weight: number })[] =>
  Array.from({ length: count }, () => ({ kind: 'turn', tenantId, conversationId: newId(), weight: 1 }));
const idsOf = (some: readonly WakeUp[]) => some.map(({ conversationId }) => conversationId);

test('what one has waiting is served in turn with what others ask for later', async () => {
  const { queue } = await aQueue();
  const [blocker, storm, [one]] = [wakeUps(first, 1), wakeUps(noisy, 20), wakeUps(quiet, 1)];
  const { served, open } = serveInOrder(queue);
  await queue.wakeAll(blocker);
  await eventually(() => expect(served).toHaveLength(1));
  await queue.wakeAll(storm);
  if (one) await queue.wake(one);
  open();
  await eventually(() => expect(served).toHaveLength(22));

  expect(served.indexOf(one?.conversationId ?? '')).toBeLessThanOrEqual(2);
  expect(served.filter((id) => idsOf(storm).includes(id))).toEqual(idsOf(storm));
});

test('it is still so where the range of priorities begins anew, and nothing is lost there', async () => {
  const { queue, clock } = await aQueue();
  await clock.assign([{ tenantId: quiet, cost: 16, charged: true }]);
  await clock.advance(halfRange - 100);
  const [blocker, storm, [one]] = [wakeUps(first, 1), wakeUps(noisy, 40), wakeUps(quiet, 1)];
  const { served, open } = serveInOrder(queue);
  await queue.wakeAll(blocker);
  await eventually(() => expect(served).toHaveLength(1));
  await queue.wakeAll(storm);
  await clock.advance(halfRange + 1);
  expect(await clock.isMoving()).toBe(true);

  // What comes now has low numbers already, while the storm still has high ones.
  if (one) await queue.wake(one);
  await queue.keepOrder();
  expect(await clock.isMoving()).toBe(false);
  const late = wakeUps(noisy, 3);
  await queue.wakeAll(late);
  open();
  await eventually(() => expect(served).toHaveLength(45));

  const ofStorm = served.filter((id) => [...idsOf(storm), ...idsOf(late)].includes(id));
  expect(ofStorm).toEqual([...idsOf(storm), ...idsOf(late)]);
  // Those whose time had come before: seven of 16 each until the base was raised.
  expect(served.indexOf(one?.conversationId ?? '')).toBeLessThanOrEqual(9);
});
