import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { startDiscordSimulator } from '../../../simulators/discord/simulator.ts';
import { GatewayError } from '../../gateway-error.ts';
import { createPacer } from '../../pacer.ts';
import type { DiscordApp } from '../channel.ts';
import { createDiscordApi } from '../outbound/api.ts';
import { createInvalidGuard } from '../outbound/invalid-guard.ts';
import { createMembership } from './membership.ts';

async function aWorld(guilds = ['1', '2', '3']) {
  let nowMs = Date.now();
  const discord = await startDiscordSimulator({ limits: { postsPerWindow: 1_000, globalPerSecond: 1_000 } });
  onTestFinished(() => discord.close());
  const { botToken } = discord.addApp({ id: '900' });
  for (const id of guilds) {
    discord.addGuild({ id, members: id === '2' ? [] : ['7'] });
    discord.invite('900', id);
  }
  const app: DiscordApp = { applicationId: '900', account: '900', botToken, apiUrl: discord.apiUrl };
  const pacer = createPacer(createPaceInProcess());
  const api = createDiscordApi({ pacer, guard: createInvalidGuard(createPaceInProcess()) });
  const membership = createMembership({ api, pacer, nowMs: () => nowMs });
  return {
    discord,
    app,
    pass: (ms: number) => {
      nowMs += ms;
    },
    among: (by = app, person = '7', of: readonly string[] = ['1', '2', '3'], withinMs = 5_000) =>
      membership.among(by, of, person, AbortSignal.timeout(withinMs)),
    asked: () => discord.callsOf('GET', /members\/7$/).length,
  };
}

test('who is in which server is remembered, and looked at again after a while, sooner where they are not', async () => {
  const { among, asked, discord, pass } = await aWorld();
  expect(await among()).toEqual({ guilds: ['1', '3'], isComplete: true });
  expect(await among()).toEqual({ guilds: ['1', '3'], isComplete: true });
  expect(asked()).toBe(3);
  discord.join('2', '7');
  pass(61_000);
  expect((await among()).guilds).toEqual(['1', '2', '3']);
  expect(asked()).toBe(4);
});

test('what one token was told is not told to another one of the same application id', async () => {
  const { among, app } = await aWorld();
  await among();
  const forged = await among({ ...app, botToken: 'made-up' });
  expect(forged.guilds).toEqual([]);
});

test('a server about which Discord does not tell in time is not taken for one that the person is not in', async () => {
  const { among, discord } = await aWorld();
  discord.fail('GET', /^\/guilds\/3\/members/, { kind: 'status', status: 503 });
  expect(await among()).toEqual({ guilds: ['1'], isComplete: false });
  expect(await among()).toEqual({ guilds: ['1', '3'], isComplete: true });
});

test('a few people who look at many servers do not keep somebody else from theirs', async () => {
  const many = Array.from({ length: 100 }, (_, index) => String(index + 1));
  const { among, app } = await aWorld(many);
  const busy = ['21', '22', '23', '24', '25', '26', '27', '28'].map((person) =>
    among(app, person, many, 3_000),
  );
  await pause(100);
  expect(await among()).toEqual({ guilds: ['1', '3'], isComplete: true });
  for (const one of await Promise.all(busy)) expect(one.isComplete).toBe(false);
});

test('who finds no room for more looks no further', async () => {
  const { app } = await aWorld();
  let turns = 0;
  const pacer = {
    take: async () => {
      turns += 1;
      throw new GatewayError('not_now', 'The platform takes no more at the moment.');
    },
  };
  const membership = createMembership({ api: { call: () => Promise.reject() }, pacer, nowMs: () => 0 });
  const many = Array.from({ length: 100 }, (_, index) => String(index + 1));
  const found = await membership.among(app, many, '7', AbortSignal.timeout(5_000));
  expect(found).toEqual({ guilds: [], isComplete: false });
  expect(turns).toBeLessThanOrEqual(8);
});
