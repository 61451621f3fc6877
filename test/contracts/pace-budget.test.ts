import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '#connections/redis.ts';
import type { PaceBudget } from '#gateways/journey.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { createPaceOnPostgres } from '#metering/pace-on-postgres.ts';
import { createPaceOnRedis } from '#metering/pace-on-redis.ts';
import { aDatabase } from '../support/a-database.ts';
import { eventually } from '../support/eventually.ts';
import { removeRedisKeys } from '../support/own-databases.ts';
import { testBackend, testRedisUrl } from '../support/test-backend.ts';

/** What all pace budgets promise. Their clocks go on during a test, so intervals are long beside it. */

const prefix = `swarmgate-test-${randomUUID()}`;
const atEnd: (() => Promise<void>)[] = [];
const budgets: Record<string, PaceBudget> = { process: createPaceInProcess() };

beforeAll(async () => {
  const database = await aDatabase((end) => void atEnd.push(end));
  budgets['Postgres'] = createPaceOnPostgres(database.scopes);
  if (testBackend() === 'embedded') return;
  const redis = connectRedis(testRedisUrl(), () => {});
  atEnd.push(async () => {
    await redis.close();
    await removeRedisKeys(prefix);
  });
  budgets['Redis'] = createPaceOnRedis(redis, prefix);
  await eventually(() => expect(redis.forCommands().status).toBe('ready'));
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

const minute = 60_000;
const places = testBackend() === 'embedded' ? ['process', 'Postgres'] : ['process', 'Postgres', 'Redis'];

describe.each(places)('a budget in %s', (place) => {
  const aKey = () => {
    const budget = budgets[place];
    if (!budget) throw new Error(`There is no budget in ${place}.`);
    const key = randomUUID();
    const pace = (more: { cost?: number; burst?: number }) => ({
      intervalMs: minute,
      cost: 1,
      burst: 1,
      ...more,
    });
    return {
      /** In minutes, and whether it was granted. */
      async reserve(more: { cost?: number; burst?: number; of?: string } = {}, waitMinutes = 0.5) {
        const { granted, waitMs } = await budget.reserve(more.of ?? key, pace(more), waitMinutes * minute);
        return [granted, Math.round((waitMs / minute) * 10) / 10];
      },
      giveBack: (more: { cost?: number } = {}) => budget.giveBack(key, pace(more)),
    };
  };

  test('lets the first go at once, and the next wait', async () => {
    const { reserve } = aKey();
    expect(await reserve()).toEqual([true, 0]);
    expect(await reserve({}, 5)).toEqual([true, 1]);
    expect(await reserve({}, 5)).toEqual([true, 2]);
  });

  test('lets a burst go at once after a silence', async () => {
    const { reserve } = aKey();
    for (let n = 0; n < 3; n++) expect(await reserve({ burst: 3 })).toEqual([true, 0]);
    expect(await reserve({ burst: 3 }, 5)).toEqual([true, 1]);
  });

  test('keeps keys apart', async () => {
    const { reserve } = aKey();
    await reserve({ cost: 100 });
    expect(await reserve({ of: randomUUID() })).toEqual([true, 0]);
  });

  test('tells those that cannot wait to come back one after the other', async () => {
    const { reserve } = aKey();
    await reserve({ cost: 10 });
    expect(await reserve()).toEqual([false, 10]);
    expect(await reserve({ cost: 2 })).toEqual([false, 11]);
    expect(await reserve()).toEqual([false, 13]);
  });

  test('a line takes no place: who comes when there is one goes', async () => {
    const { reserve, giveBack } = aKey();
    await reserve({ cost: 10 });
    expect(await reserve()).toEqual([false, 10]);
    await giveBack({ cost: 10 });
    expect(await reserve()).toEqual([true, 0]);
  });

  test('gives back what was not used', async () => {
    const { reserve, giveBack } = aKey();
    await reserve();
    expect(await reserve({}, 5)).toEqual([true, 1]);
    await giveBack();
    expect(await reserve({}, 5)).toEqual([true, 1]);
  });

  test('hands each place out once, however many ask at once', async () => {
    const { reserve } = aKey();
    const told = await Promise.all(Array.from({ length: 20 }, () => reserve({}, 100)));
    expect(told.map(([, minutes]) => minutes).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
  });
});
