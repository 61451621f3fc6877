import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '#connections/redis.ts';
import { newId } from '#domain/ids.ts';
import { costOf, type FairClock, halfRange, horizon, type Start } from '#queue/fair-clock.ts';
import { createFairClockOnPostgres } from '#queue/fair-clock-on-postgres.ts';
import { createFairClockOnRedis } from '#queue/fair-clock-on-redis.ts';
import { insertTenants } from '../isolation/tenant-rows.ts';
import { aDatabase } from '../support/a-database.ts';
import { eventually } from '../support/eventually.ts';
import { removeRedisKeys } from '../support/own-databases.ts';
import { testBackend, testRedisUrl } from '../support/test-backend.ts';

/** What both clocks promise, in the database and (with the servers) in Redis. */

const [noisy, quiet, paying] = [newId(), newId(), newId()];
const prefix = `swarmgate-test-${randomUUID()}`;
const atEnd: (() => Promise<void>)[] = [];
const clocks: Record<string, (queue: string) => FairClock> = {};

beforeAll(async () => {
  const database = await aDatabase((end) => void atEnd.push(end));
  await database.asOwner((client) => insertTenants(client, newId(), [noisy, quiet, paying]));
  clocks['Postgres'] = (queue) => createFairClockOnPostgres(database.scopes, queue);
  if (testBackend() === 'embedded') return;
  const redis = connectRedis(testRedisUrl(), () => {});
  atEnd.push(async () => {
    await redis.close();
    await removeRedisKeys(prefix);
  });
  clocks['Redis'] = (queue) => createFairClockOnRedis(redis, prefix, queue);
  await eventually(() => expect(redis.forCommands().status).toBe('ready'));
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

const charged = (tenantId: string, weight = 1): Start => ({ tenantId, cost: costOf(weight), charged: true });
const again = (tenantId: string): Start => ({ tenantId, cost: costOf(1), charged: false });

describe.each(testBackend() === 'embedded' ? ['Postgres'] : ['Postgres', 'Redis'])(
  'a clock in %s',
  (kind) => {
    const aClock = (): FairClock => {
      const clock = clocks[kind]?.(randomUUID());
      if (!clock) throw new Error(`There is no clock in ${kind}.`);
      return clock;
    };

    test('puts what a tenant asks for first beside what others asked for first', async () => {
      const clock = aClock();
      expect(await clock.assign([charged(noisy), charged(noisy), charged(noisy)])).toEqual([1, 17, 33]);
      expect(await clock.assign([charged(quiet)])).toEqual([1]);
    });

    test('gives shares by weight', async () => {
      const [first, second, third] = await aClock().assign([
        charged(paying, 16),
        charged(paying, 16),
        charged(paying, 16),
      ]);
      expect([first, second, third]).toEqual([1, 2, 3]);
    });

    test('lets nobody save up time: who was silent starts where the others are', async () => {
      const clock = aClock();
      await clock.assign([charged(quiet)]);
      await clock.assign(Array.from({ length: 100 }, () => charged(noisy)));
      await clock.advance(1_001);
      expect(await clock.assign([charged(quiet), charged(quiet)])).toEqual([1_001, 1_017]);
    });

    test('starts at once what was charged before, one behind the other', async () => {
      const clock = aClock();
      await clock.assign(Array.from({ length: 100 }, () => charged(noisy)));
      await clock.advance(33);
      expect(await clock.assign([again(noisy), again(noisy), again(quiet)])).toEqual([33, 49, 33]);
      expect(await clock.assign([charged(noisy)])).toEqual([1_601]);
    });

    test('charges for what was served beyond the first', async () => {
      const clock = aClock();
      await clock.assign([charged(noisy)]);
      await clock.charge(noisy, costOf(1, 9));
      expect(await clock.assign([charged(noisy), charged(quiet)])).toEqual([161, 1]);
    });

    test('knows no way back', async () => {
      const clock = aClock();
      await clock.assign([charged(quiet)]);
      await clock.advance(500);
      await clock.advance(20);
      expect(await clock.assign([charged(quiet)])).toEqual([500]);
    });

    test('puts nobody further back than the horizon', async () => {
      const clock = aClock();
      await clock.assign([charged(noisy)]);
      await clock.charge(noisy, 50 * halfRange);
      expect(await clock.assign([charged(noisy)])).toEqual([horizon + 1]);
    });

    test('raises its base half-way, once, and again when what waits was moved', async () => {
      const clock = aClock();
      await clock.assign([charged(quiet)]);
      await clock.advance(halfRange);
      expect(await clock.isMoving()).toBe(false);
      await clock.advance(halfRange + 11);
      expect(await clock.isMoving()).toBe(true);
      expect(await clock.assign([charged(quiet)])).toEqual([11]);
      // One that was not moved yet is served: it counts as what it was.
      await clock.advance(halfRange + 21);
      expect(await clock.assign([charged(paying)])).toEqual([21]);

      await clock.moved();
      expect(await clock.isMoving()).toBe(false);
      await clock.advance(halfRange + 1);
      expect(await clock.isMoving()).toBe(true);
    });

    test('gives only priorities that BullMQ has, whatever happens', async () => {
      const step = fc.oneof(
        fc.record({
          assign: fc.constantFrom(charged(noisy), charged(quiet), charged(paying, 16), again(noisy)),
        }),
        fc.record({ advance: fc.integer({ min: 1, max: 2 * halfRange - 1 }) }),
        fc.record({ charge: fc.integer({ min: 1, max: halfRange }) }),
        fc.record({ moved: fc.constant(true) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const clock = aClock();
          for (const act of steps) {
            if ('advance' in act) await clock.advance(act.advance);
            else if ('charge' in act) await clock.charge(noisy, act.charge);
            else if ('moved' in act) await clock.moved();
            else {
              for (const priority of await clock.assign([act.assign])) {
                expect(Number.isInteger(priority)).toBe(true);
                expect(priority).toBeGreaterThanOrEqual(1);
                expect(priority).toBeLessThanOrEqual(2 * halfRange - 1);
              }
            }
          }
        }),
        { numRuns: 30 },
      );
    });
  },
);
