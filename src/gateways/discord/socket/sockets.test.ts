import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { startDiscordSimulator } from '../../../simulators/discord/simulator.ts';
import { createPacer } from '../../pacer.ts';
import { createAppFinder } from '../channel.ts';
import { createDiscordApi } from '../outbound/api.ts';
import { createInvalidGuard } from '../outbound/invalid-guard.ts';
import { startDiscordSockets } from './sockets.ts';

const appId = '900';
/** With two shards, the first is on shard 0 and the other on shard 1. */
const guilds = ['1', String((1n << 22n) + 5n)];

/** The leases and sessions that processes share: what is kept without the lease is refused. */
function aDirectory() {
  const holders = new Map<string, string>();
  const sessions = new Map<string, object | undefined>();
  const faults = new Map<string, string | undefined>();
  return {
    sessions,
    faults,
    partsFor: (holder: string) => ({
      lease: {
        leaseMs: 1_500,
        take: async (name: string) => {
          if (!holders.has(name)) holders.set(name, holder);
          return holders.get(name) === holder;
        },
        release: async (name: string) => {
          if (holders.get(name) === holder) holders.delete(name);
        },
      },
      sessions: {
        read: async (name: string) => structuredClone(sessions.get(name)),
        keep: async (name: string, session: object | undefined, fault?: string) => {
          if (holders.get(name) !== holder) return false;
          faults.set(name, fault);
          sessions.set(name, structuredClone(session));
          return true;
        },
      },
    }),
  };
}

async function aWorld() {
  const discord = await startDiscordSimulator({
    ...{ heartbeatMs: 300, identifyMs: 0, maxConcurrency: 16 },
    limits: { postsPerWindow: 1_000, globalPerSecond: 1_000 },
  });
  onTestFinished(() => discord.close());
  const { botToken } = discord.addApp({ id: appId });
  const channels = guilds.map((id) => {
    discord.addGuild({ id, members: ['7'] });
    discord.invite(appId, id);
    return discord.addChannel(id);
  });
  const directory = aDirectory();
  const heard: unknown[] = [];

  const lines: string[] = [];

  function startProcess(holder: string, { askShardsEveryMs = 500, askAgainMs = 15_000 } = {}) {
    const budget = createPaceInProcess();
    const apps = createAppFinder({ applicationId: appId, publicKey: '', botToken }, discord.apiUrl);
    const process = startDiscordSockets({
      ...{
        apps,
        budget,
        askShardsEveryMs,
        askAgainMs,
        logger: createLogger('warn', { write: (line: string) => void lines.push(line) }),
        metrics: { platformEvent: () => {} },
        onReady: () => {},
      },
      api: createDiscordApi({ pacer: createPacer(budget), guard: createInvalidGuard(budget) }),
      channels: { listClaims: async () => [], find: async () => undefined },
      choices: { list: async () => [] },
      keeper: { pause: async () => {}, resume: async () => {} },
      receive: async (_hearer, { name, data }) => {
        if (name === 'MESSAGE_CREATE') heard.push(data['content']);
      },
      ...directory.partsFor(holder),
    });
    onTestFinished(() => process.stop());
    return process;
  }
  return { discord, channels, directory, heard, lines, startProcess };
}

test('when Discord recommends more shards, all processes change together, and what is said meanwhile is looked up', async () => {
  const { discord, channels, directory, heard, startProcess } = await aWorld();
  startProcess('a');
  startProcess('b');
  await eventually(() => expect(discord.sockets.open(appId)).toBe(1));
  discord.recommendShards(2);
  const said: string[] = [];
  await eventually(() => {
    const text = `said ${said.length}`;
    said.push(text);
    discord.say(channels[said.length % 2] ?? '', { user: '7', text });
    expect(discord.sockets.open(appId)).toBe(2);
  });
  await eventually(() => expect(said.filter((text) => !heard.includes(text))).toEqual([]));
  expect(discord.sockets.shards(appId)).toEqual([0, 1]);
  expect(directory.sessions.get(`${appId}/plan`)).toMatchObject({ generation: 2, count: 2 });
  expect(discord.violations).toEqual([]);
});

test('fewer shards than there are change nothing while they are not less than half', async () => {
  const { discord, directory, startProcess } = await aWorld();
  discord.recommendShards(2);
  const first = startProcess('a');
  await eventually(() => expect(discord.sockets.open(appId)).toBe(2));
  discord.recommendShards(1);
  const asked = discord.callsOf('GET', /^\/gateway\/bot$/).length;
  await eventually(() =>
    expect(discord.callsOf('GET', /^\/gateway\/bot$/).length).toBeGreaterThan(asked + 1),
  );
  expect(discord.sockets.open(appId)).toBe(2);
  expect(directory.sessions.get(`${appId}/plan`)).toMatchObject({ generation: 1, count: 2 });
  await first.stop();
});

test('a change that was begun by a process that is gone is ended by another one', async () => {
  const { discord, channels, directory, heard, startProcess } = await aWorld();
  const first = startProcess('a');
  // A session that was not kept yet says nothing about since when something was missed.
  await eventually(() => expect(directory.sessions.get(`${appId}/0`)).toBeDefined());
  await first.stop();
  const plan = directory.sessions.get(`${appId}/plan`);
  directory.sessions.set(`${appId}/plan`, { ...plan, next: 2 });
  discord.say(channels[1] ?? '', { user: '7', text: 'while nobody listened' });
  startProcess('b');
  await eventually(() => expect(discord.sockets.open(appId)).toBe(2));
  await eventually(() => expect(heard).toContain('while nobody listened'));
  expect(discord.violations).toEqual([]);
});

test('while Discord does not say how to connect, that is logged in one line, ever more seldom, and kept for the operator', async () => {
  const { discord, directory, lines, startProcess } = await aWorld();
  discord.fail('GET', /\/gateway\/bot$/, { kind: 'status', status: 503, times: 1_000 });
  startProcess('a', { askAgainMs: 100 });
  const said = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => /did not say/.test(msg));
  await eventually(() => expect(said().length).toBeGreaterThanOrEqual(3), 20_000);
  expect(said().map(({ delayMs }) => delayMs)).toEqual(said().map((_, times) => 100 * 2 ** times));
  expect(said()[0]).toMatchObject({ reason: expect.stringMatching(/^900: Discord/) });
  expect(lines.join()).not.toContain('stack');
  expect(directory.faults.get(`${appId}/plan`)).toMatch(/^Discord did not say how the bot is to connect: /);
  discord.mend();
  await eventually(() => expect(discord.sockets.open(appId)).toBe(1), 20_000);
  expect(directory.faults.get(`${appId}/plan`)).toBeUndefined();
});
