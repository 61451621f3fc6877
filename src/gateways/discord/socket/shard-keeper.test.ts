import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#kernel/logger.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from '../../../simulators/discord/simulator.ts';
import type { OpenChannel } from '../../gateway.ts';
import { GatewayError } from '../../gateway-error.ts';
import { createPacer } from '../../pacer.ts';
import { createDiscordApi } from '../outbound/api.ts';
import { createInvalidGuard } from '../outbound/invalid-guard.ts';
import { keepShard, type ShardKeeperParts } from './shard-keeper.ts';

const applicationId = '900';
const budget = {
  reserve: async () => ({ granted: true, waitMs: 0 }),
  giveBack: async () => {},
};

async function aWorld(options: DiscordSimulatorOptions = {}) {
  const discord = await startDiscordSimulator({ heartbeatMs: 300, identifyMs: 0, ...options });
  onTestFinished(() => discord.close());
  discord.addApp({ id: applicationId });
  discord.addGuild({ id: '1', members: ['7'] });
  discord.invite(applicationId, '1');
  return { discord, channel: discord.addChannel('1') };
}

/** What holders share over all processes: who has the lease, and where the session stands. */
function aDirectory() {
  let holder: string | undefined;
  let session: object | undefined;
  return {
    kept: () => session as { sequence: number; gap?: object } | undefined,
    lose: () => {
      holder = 'somebody else';
    },
    free: () => {
      holder = undefined;
    },
    partsFor: (name: string) => ({
      lease: {
        leaseMs: 900,
        take: async () => {
          holder ??= name;
          return holder === name;
        },
        release: async () => {
          if (holder === name) holder = undefined;
        },
      },
      sessions: {
        read: async () => session,
        keep: async (_app: string, next: object | undefined) => {
          if (holder !== name) return false;
          session = structuredClone(next);
          return true;
        },
      },
    }),
  };
}

type Heard = { name: string; content: unknown };

function keep(
  discord: DiscordSimulator,
  directory: ReturnType<typeof aDirectory>,
  { name = 'first', ...more }: { name?: string } & Partial<ShardKeeperParts> = {},
  own?: () => OpenChannel,
) {
  const heard: Heard[] = [];
  const app = {
    ...{ applicationId, account: '', botToken: discord.app(applicationId).botToken, apiUrl: discord.apiUrl },
  };
  const api = createDiscordApi({ pacer: createPacer(budget), guard: createInvalidGuard(budget) });
  const shard = keepShard(
    {
      ...{
        api,
        budget,
        logger: createLogger('silent'),
        metrics: { platformEvent: () => {} },
        onReady: () => {},
        silenceMs: 60_000,
      },
      choices: { list: async () => [] },
      keeper: { pause: async () => {}, resume: async () => {} },
      receive: async (_hearer, { name: event, data }) =>
        void heard.push({ name: event, content: data['content'] }),
      ...directory.partsFor(name),
      ...more,
    },
    {
      ...{
        applicationId,
        shard: 0,
        shardCount: 1,
        generation: 1,
        sinceMs: undefined,
        url: discord.url.replace('http', 'ws'),
      },
      bot: async () => ({ app, own: own?.() }),
    },
  );
  onTestFinished(() => shard.stop());
  const said = () => heard.filter((one) => one.name === 'MESSAGE_CREATE').map(({ content }) => content);
  return { shard, heard, said };
}

const isOpen = (discord: DiscordSimulator) =>
  eventually(() => expect(discord.sockets.open(applicationId)).toBe(1));

describe('where a session stands', () => {
  test('is moved on only behind what was kept: what was not is told to the next holder', async () => {
    const { discord, channel } = await aWorld();
    const directory = aDirectory();
    const first = keep(discord, directory, {
      receive: async (_hearer, { data }) => {
        if (data['content'] === 'lost') throw new GatewayError('unavailable', 'The database is away.');
      },
    });
    await isOpen(discord);
    discord.say(channel, { user: '7', text: 'kept' });
    await eventually(() => expect(directory.kept()?.sequence).toBe(3));
    discord.say(channel, { user: '7', text: 'lost' });
    discord.say(channel, { user: '7', text: 'behind it' });
    discord.say(discord.addChannel('1'), { user: '7', text: 'elsewhere' });
    await first.shard.stop();
    expect(directory.kept()?.sequence).toBe(3);

    const second = keep(discord, directory, { name: 'second' });
    await eventually(() => expect(second.said()).toHaveLength(3));
    // In one channel in order; of another one nobody has to wait for it.
    expect(second.said().filter((text) => text !== 'elsewhere')).toEqual(['lost', 'behind it']);
    expect(discord.sockets.identifies(applicationId)).toHaveLength(1);
  });

  test('what fails for a while is kept as soon as it can be, in the order in which it was said', async () => {
    const { discord, channel } = await aWorld();
    let fails = 2;
    const said: unknown[] = [];
    keep(discord, aDirectory(), {
      receive: async (_hearer, { name, data }) => {
        if (name !== 'MESSAGE_CREATE') return;
        if (data['content'] === 'one' && fails-- > 0) throw new Error('The connection was lost.');
        said.push(data['content']);
      },
    });
    await isOpen(discord);
    for (const text of ['one', 'two', 'three']) discord.say(channel, { user: '7', text });
    await eventually(() => expect(said).toEqual(['one', 'two', 'three']));
  });
});

test('who loses the lease closes the socket, and goes on with the session once the lease is free again', async () => {
  const { discord, channel } = await aWorld();
  const directory = aDirectory();
  const { said } = keep(discord, directory);
  await isOpen(discord);
  directory.lose();
  await eventually(() => expect(discord.sockets.open(applicationId)).toBe(0));
  discord.say(channel, { user: '7', text: 'to nobody' });
  directory.free();
  await isOpen(discord);
  await eventually(() => expect(said()).toEqual(['to nobody']));
  expect(discord.sockets.identifies(applicationId)).toHaveLength(1);
});

test('a fault pauses the bot’s channel with what to do, and the channel is active again once the socket is open', async () => {
  const { discord } = await aWorld();
  discord.app(applicationId).messageContent = false;
  let own = {
    id: 'c',
    tenantId: 't',
    status: 'active',
    settings: { messageContent: true },
  } as unknown as OpenChannel;
  const keeper = {
    pause: async (_channel: OpenChannel, statusReason: string) => {
      own = { ...own, status: 'paused', statusReason };
    },
    resume: async () => {
      own = { ...own, status: 'active', statusReason: undefined };
    },
  };
  keep(discord, aDirectory(), { keeper, faultRetryMs: 300 }, () => own);
  await eventually(() => expect(own.statusReason).toContain('turn on "Message Content Intent"'));
  expect(own.status).toBe('paused');
  discord.app(applicationId).messageContent = true;
  await isOpen(discord);
  await eventually(() => expect(own.status).toBe('active'));
});

test('a socket that says nothing at all any more is opened anew', async () => {
  const { discord, channel } = await aWorld();
  discord.sockets.freeze(applicationId);
  const { said } = keep(discord, aDirectory(), { silenceMs: 150 });
  await eventually(() => expect(discord.sockets.resumes(applicationId).length).toBeGreaterThan(0));
  discord.say(channel, { user: '7', text: 'still heard' });
  await eventually(() => expect(said()).toContain('still heard'));
});

test('while Discord does not say whether the bot may identify, it does not; then it does so once', async () => {
  const { discord } = await aWorld();
  discord.fail('GET', /^\/gateway\/bot$/, { kind: 'status', status: 500, times: 2 });
  keep(discord, aDirectory());
  await isOpen(discord);
  expect(discord.callsOf('GET', /^\/gateway\/bot$/)).toHaveLength(3);
  expect(discord.sockets.identifies(applicationId)).toHaveLength(1);
  expect(discord.violations).toEqual([]);
});

describe('what was said while a session was lost', () => {
  async function afterLoss(prepare: (world: Awaited<ReturnType<typeof aWorld>>) => void) {
    const world = await aWorld();
    const { discord } = world;
    const logged: { msg: string; reason?: string; count?: number }[] = [];
    const counted: string[] = [];
    const stream = { write: (line: string) => void logged.push(JSON.parse(line)) };
    const { said } = keep(discord, aDirectory(), {
      logger: createLogger('warn', stream as never),
      metrics: {
        platformEvent: (platform, kind, outcome) => void counted.push(`${platform} ${kind} ${outcome}`),
      },
    });
    await isOpen(discord);
    discord.sockets.forget(applicationId);
    prepare(world);
    return { ...world, said, counted, logged };
  }

  test('where the bot may not read what was said before: it is logged once, without a text, and counted', async () => {
    const { said, logged, counted } = await afterLoss(({ discord, channel }) => {
      const [unread, hidden] = [discord.addChannel('1'), discord.addChannel('1')];
      discord.hide(applicationId, unread, 'withoutHistory');
      discord.hide(applicationId, hidden, 'hidden');
      for (const id of [unread, hidden]) discord.say(id, { user: '7', text: 'a secret' });
      discord.say(channel, { user: '7', text: 'readable' });
    });
    await eventually(() => expect(said()).toEqual(['readable']));
    await eventually(() => expect(counted).toEqual(['discord backfill unreadable']));
    const lines = logged.filter(({ msg }) => msg.includes('could not be read'));
    expect(lines).toMatchObject([{ count: 1, reason: expect.stringContaining('server 1') }]);
    expect(JSON.stringify(logged)).not.toContain('a secret');
  });

  test('in more channels, or more of it, than is looked up: that is said and counted as well', async () => {
    const { said, counted, logged } = await afterLoss(({ discord, channel }) => {
      discord.changeLimits({ postsPerWindow: 10_000, globalPerSecond: 10_000 });
      for (let number = 0; number < 1_001; number += 1)
        discord.say(channel, { user: '7', text: `line ${number}` });
    });
    await eventually(() => expect(counted).toEqual(['discord backfill cut']));
    expect(said()).toHaveLength(1_000);
    expect(logged.filter(({ msg }) => msg.includes('could not be read'))).toHaveLength(1);
  });

  test('and could be looked up whole: nothing is said about it', async () => {
    const { said, counted, logged } = await afterLoss(({ discord, channel }) =>
      discord.say(channel, { user: '7', text: 'all of it' }),
    );
    await eventually(() => expect(said()).toEqual(['all of it']));
    expect(counted).toEqual([]);
    expect(logged.filter(({ msg }) => msg.includes('could not be read'))).toEqual([]);
  });
});

describe('more than can be kept at once', () => {
  const busy = { heartbeatMs: 41_250, replayMax: 100_000 };

  test('is read later by the same socket; everything is handled once, and nobody is deaf', async () => {
    const { discord } = await aWorld(busy);
    const said: unknown[] = [];
    const { shard } = keep(discord, aDirectory(), {
      receive: async (_hearer, { name, data }) => {
        if (name !== 'MESSAGE_CREATE') return;
        await pause(10);
        said.push(data['content']);
      },
    });
    await isOpen(discord);
    const channels = Array.from({ length: 50 }, () => discord.addChannel('1'));
    for (let number = 0; number < 5_200; number += 1)
      discord.say(channels[number % 50] ?? '', { user: '7', text: `${number}` });
    const other = discord.addChannel('1');
    for (let number = 0; number < 8; number += 1) discord.say(other, { user: '7', text: `other ${number}` });
    await eventually(() => expect(said.length).toBeGreaterThanOrEqual(5_208), 30_000);
    expect(new Set(said).size).toBe(said.length);
    expect(discord.sockets.resumes(applicationId)).toEqual([]);
    await shard.stop();
  }, 60_000);

  test('of one channel holds up no other one, and is heard whole and in order once there is room', async () => {
    const { discord, channel } = await aWorld(busy);
    const gate = Promise.withResolvers<void>();
    const said: string[] = [];
    keep(discord, aDirectory(), {
      receive: async (_hearer, { name, data }) => {
        if (name !== 'MESSAGE_CREATE') return;
        if (data['channel_id'] === channel) await gate.promise;
        said.push(String(data['content']));
      },
    });
    await isOpen(discord);
    const texts = Array.from({ length: 6_000 }, (_, number) => `${number}`);
    for (const text of texts) discord.say(channel, { user: '7', text });
    discord.say(discord.addChannel('1'), { user: '7', text: 'elsewhere' });
    await eventually(() => expect(said).toEqual(['elsewhere']));
    gate.resolve();
    await eventually(() => expect(said).toHaveLength(6_001), 60_000);
    expect(said.slice(1)).toEqual(texts);
    expect(discord.sockets.identifies(applicationId)).toHaveLength(1);
  }, 90_000);
});

test('what an open socket has kept is not handled again when it is opened anew', async () => {
  const { discord, channel } = await aWorld();
  const { said } = keep(discord, aDirectory());
  await isOpen(discord);
  for (const text of ['one', 'two']) discord.say(channel, { user: '7', text });
  await eventually(() => expect(said()).toEqual(['one', 'two']));
  discord.sockets.drop(applicationId);
  discord.say(channel, { user: '7', text: 'three' });
  await eventually(() => expect(said()).toEqual(['one', 'two', 'three']));
});
