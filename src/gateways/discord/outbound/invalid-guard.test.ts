import { expect, test } from 'vitest';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import type { DiscordApp } from '../channel.ts';
import { createInvalidGuard, type InvalidGuard } from './invalid-guard.ts';

const anApp = (applicationId: string, more: Partial<DiscordApp> = {}): DiscordApp => ({
  ...{ applicationId, account: applicationId, botToken: `token-${applicationId}-0123456789` },
  ...{ apiUrl: undefined, ...more },
});
const aTenantsShared = (tenant: string) => anApp('1', { account: '', onBehalfOf: `tenant/${tenant}` });

/** Calls that are refused, one after the other, until no more are made; answers how many there were. */
async function refuse(guard: InvalidGuard, app: DiscordApp, timesMax = 10_000): Promise<number> {
  for (let times = 0; times < timesMax; times += 1) {
    const admission = await guard.admit(app).catch(() => undefined);
    if (!admission) return times;
    admission.end({ status: 403, byInteraction: false });
  }
  return timesMax;
}

/** Whether a call would be made now; it is not refused. */
const isAdmitted = (guard: InvalidGuard, app: DiscordApp) =>
  guard.admit(app).then(
    (admission) => {
      admission.end(undefined);
      return true;
    },
    () => false,
  );

/** A guard by a clock that stands still until it is moved. */
function aGuard() {
  let nowMs = 0;
  const guard = createInvalidGuard(
    createPaceInProcess(() => nowMs),
    () => nowMs,
  );
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { guard, pass };
}

test('a token that was refused is not used again for ten minutes, and another one is', async () => {
  const { guard, pass } = aGuard();
  const app = anApp('1');
  (await guard.admit(app)).end({ status: 401, byInteraction: false });
  await expect(guard.admit(app)).rejects.toMatchObject({
    code: 'gateway_credentials_refused',
    channelFault: expect.stringContaining('applications/1/bot'),
  });
  expect(await isAdmitted(guard, { ...app, botToken: 'a-new-token' })).toBe(true);
  expect(await isAdmitted(guard, anApp('2'))).toBe(true);
  pass(10 * 60_000 + 1);
  expect(await isAdmitted(guard, app)).toBe(true);
});

test('of the shared app a refused token is no fault of a tenant’s channel', async () => {
  const { guard } = aGuard();
  const app = aTenantsShared('a');
  (await guard.admit(app)).end({ status: 401, byInteraction: false });
  const error: unknown = await guard.admit(app).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'gateway_not_now' });
  expect(error).toHaveProperty('channelFault', undefined);
});

test('an interaction’s token that has run out says nothing about the bot’s', async () => {
  const { guard } = aGuard();
  (await guard.admit(anApp('1'))).end({ status: 401, byInteraction: true });
  expect(await isAdmitted(guard, anApp('1'))).toBe(true);
});

test('a tenant’s refusals by the shared bot stop that tenant’s calls, and nobody else’s', async () => {
  const { guard, pass } = aGuard();
  expect(await refuse(guard, aTenantsShared('a'))).toBe(50);
  await expect(guard.admit(aTenantsShared('a'))).rejects.toMatchObject({
    code: 'gateway_not_now',
    message: expect.stringContaining('may not write'),
    retryAfterMs: 12_000,
  });
  expect(await isAdmitted(guard, aTenantsShared('b'))).toBe(true);
  expect(await isAdmitted(guard, anApp('1', { account: '', onBehalfOf: 'guild/7' }))).toBe(true);
  expect(await isAdmitted(guard, anApp('1', { account: '' }))).toBe(true);
  pass(12_001);
  expect(await refuse(guard, aTenantsShared('a'))).toBe(1);
});

test('all tenants of the shared bot together get 2,000, and all bots 4,000; then nothing more is asked', async () => {
  const { guard } = aGuard();
  let refused = 0;
  for (let tenant = 0; tenant < 60; tenant += 1) refused += await refuse(guard, aTenantsShared(`${tenant}`));
  expect(refused).toBe(2_000);
  expect(await isAdmitted(guard, aTenantsShared('another'))).toBe(false);
  for (let app = 2; app < 40; app += 1) refused += await refuse(guard, anApp(`${app}`));
  expect(refused).toBe(4_000);
  expect(await isAdmitted(guard, anApp('99'))).toBe(false);
});

test('an own app has room for 200, and another tenant that names its id takes none of it', async () => {
  const { guard } = aGuard();
  expect(await refuse(guard, anApp('5', { onBehalfOf: 'tenant/thief' }))).toBe(200);
  expect(await isAdmitted(guard, anApp('5', { onBehalfOf: 'tenant/owner' }))).toBe(true);
});

test('a tenant’s own bots have room for 400 together, however many they are, and leave the rest to others', async () => {
  const { guard } = aGuard();
  let refused = 0;
  for (let app = 100; app < 120; app += 1)
    refused += await refuse(guard, anApp(`${app}`, { onBehalfOf: 'tenant/a' }));
  expect(refused).toBe(400);
  await expect(guard.admit(anApp('119', { onBehalfOf: 'tenant/a' }))).rejects.toMatchObject({
    message: expect.stringContaining('of all bots of this tenant'),
  });
  expect(await isAdmitted(guard, anApp('119', { onBehalfOf: 'tenant/b' }))).toBe(true);
  expect(await isAdmitted(guard, aTenantsShared('b'))).toBe(true);
});

test('calls at the same time, in several processes, are not refused more often than there is room', async () => {
  const budget = createPaceInProcess(() => 0);
  const guards = [createInvalidGuard(budget, () => 0), createInvalidGuard(budget, () => 0)];
  const admissions = await Promise.allSettled(
    Array.from({ length: 200 }, (_, index) => guards[index % 2]?.admit(aTenantsShared('a'))),
  );
  const made = admissions.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  // None of them has its answer yet.
  expect(made).toHaveLength(50);
  for (const one of made) one?.end({ status: 403, byInteraction: false });
  for (const guard of guards) expect(await isAdmitted(guard, aTenantsShared('a'))).toBe(false);
});

test('calls that are not refused use nothing up', async () => {
  const { guard, pass } = aGuard();
  for (let times = 0; times < 500; times += 1) {
    expect(await isAdmitted(guard, aTenantsShared('a'))).toBe(true);
    if (times % 100 === 0) pass(31_000);
  }
  expect(await refuse(guard, aTenantsShared('a'))).toBeGreaterThanOrEqual(50);
});
