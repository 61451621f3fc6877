import { afterEach, describe, expect, test } from 'vitest';
import { examineChannels } from '../../src/cli/doctor-channels.ts';
import {
  aDiscordService,
  chooseServer,
  type DiscordService,
  discordEnv,
  guildId,
  isConnected,
  postsIn,
  sharedAppId,
} from '../support/a-discord-service.ts';
import { aService } from '../support/a-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { discordChannelOf, planPlatformTenant } from '../support/platform-tenants.ts';

let running: DiscordService | undefined;
afterEach(() => expect(running?.discord.violations).toEqual([]));

const mention = (text: string, appId = sharedAppId) => `<@${appId}> ${text}`;

async function connected(options: Parameters<typeof aDiscordService>[0] = {}): Promise<DiscordService> {
  running = await aDiscordService(options);
  await isConnected(running.discord);
  return running;
}

/** Asks, and waits for the answer in its thread. */
async function isAnswered({ discord, channel }: DiscordService, text: string): Promise<void> {
  const said = discord.say(channel, { user: '7', text: mention(text) });
  expect(await postsIn(discord, said.id)).toEqual([text]);
}

describe('a socket that ends is resumed, and nothing that was said meanwhile is lost or said twice', () => {
  test.each([
    ['the network cuts it', (service: DiscordService) => service.discord.sockets.drop(sharedAppId)],
    [
      'Discord asks to reconnect',
      (service: DiscordService) => service.discord.sockets.askToReconnect(sharedAppId),
    ],
    [
      'Discord closes it with 4000',
      (service: DiscordService) => service.discord.sockets.close(sharedAppId, 4_000),
    ],
    [
      'the session is invalid for now',
      (service: DiscordService) => service.discord.sockets.invalidate(sharedAppId, true),
    ],
  ])('%s', async (_how, end) => {
    const service = await connected();
    const { discord, channel } = service;
    await isAnswered(service, 'before');
    end(service);
    const said = discord.say(channel, { user: '7', text: mention('in between') });
    expect(await postsIn(discord, said.id)).toEqual(['in between']);
    await isAnswered(service, 'after');
    expect(discord.sockets.identifies(sharedAppId)).toHaveLength(1);
    expect(discord.sockets.resumes(sharedAppId).length).toBeGreaterThan(0);
    expect(discord.posts(said.id)).toHaveLength(1);
  });

  test('it goes silent (heartbeats are not acknowledged)', async () => {
    const service = await connected();
    const { discord, channel } = service;
    discord.sockets.freeze(sharedAppId);
    await eventually(() => expect(discord.sockets.resumes(sharedAppId)).not.toHaveLength(0));
    discord.sockets.freeze(sharedAppId, false);
    const said = discord.say(channel, { user: '7', text: mention('after the silence') });
    expect(await postsIn(discord, said.id)).toEqual(['after the silence']);
  });
});

describe('a session that Discord has forgotten is followed by a look at what was said meanwhile', () => {
  test('in channels, threads and direct messages', async () => {
    const service = await connected({ discord: { identifyMs: 5_000 } });
    const { discord, channel } = service;
    const direct = await chooseServer(discord);
    const thread = discord.say(channel, { user: '7', text: mention('a thread') });
    await postsIn(discord, thread.id);
    discord.sockets.forget(sharedAppId);
    const said = discord.say(channel, { user: '7', text: mention('while nobody listened') });
    discord.say(thread.id, { user: '8', text: 'in the thread, too' });
    discord.tellBot(sharedAppId, { user: '7', text: 'and in private' });
    expect(await postsIn(discord, said.id)).toEqual(['while nobody listened']);
    expect(await postsIn(discord, thread.id, 2)).toEqual(['a thread', 'in the thread, too']);
    expect((await postsIn(discord, direct, 2))[1]).toEqual('and in private');
    expect(discord.sockets.identifies(sharedAppId)).toHaveLength(2);
  }, 40_000);
});

describe('a process that stops', () => {
  test('leaves its session to the next one, which goes on where everything was kept', async () => {
    const first = await connected();
    const { discord, channel, installation } = first;
    await isAnswered(first, 'before the restart');
    await first.close();
    expect(discord.sockets.open(sharedAppId)).toBe(0);
    const said = discord.say(channel, { user: '7', text: mention('during the restart') });
    await aService({ installation, plans: [], env: discordEnv(discord) });
    expect(await postsIn(discord, said.id)).toEqual(['during the restart']);
    expect(discord.sockets.identifies(sharedAppId)).toHaveLength(1);
    expect(discord.sockets.resumes(sharedAppId)).toHaveLength(1);
  });
});

test('a bot that cannot ask how to connect, and a channel without its shared app, are what doctor tells', async () => {
  const service = await aDiscordService({
    plans: (discord) => {
      const { publicKey, botToken } = discord.addApp({ id: '901' });
      discord.fail('GET', /\/gateway\/bot$/, { kind: 'status', status: 503, times: 1_000 });
      const own = { applicationId: '901', publicKey, botToken };
      return [
        planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }),
        planPlatformTenant({ slug: 'shop', channels: [discordChannelOf({ guild: guildId })] }),
      ];
    },
  });
  running = service;
  const { config, app } = service;
  const doctor = (of = config) => examineChannels(of, app.storage);
  await eventually(async () =>
    expect(await doctor()).toContainEqual({
      check: 'sockets',
      state: 'warning',
      says: expect.stringContaining('discord 901: Discord did not say how the bot is to connect'),
      mend: expect.any(String),
    }),
  );
  expect(await doctor()).toContainEqual(expect.objectContaining({ check: 'shared apps', state: 'ok' }));
  const platforms = { ...config.platforms, discord: { app: undefined, apiUrl: undefined } };
  await inTenantOf(service, 'shop', (unit) =>
    unit.sql(`UPDATE swarmgate.channels SET settings = settings - 'apiUrl'`),
  );
  expect(await doctor({ ...config, platforms })).toContainEqual({
    check: 'shared apps',
    state: 'warning',
    says: expect.stringContaining('shop/discord (discord)'),
    mend: expect.stringContaining('DISCORD_APPLICATION_ID'),
  });
});

describe('what Discord would close again is a fault that says what to do', () => {
  const channelOf = (service: DiscordService) =>
    inTenantOf(service, 'own', (unit) =>
      unit.sql<{ status: string; status_reason: string | null }>(
        'SELECT status, status_reason FROM swarmgate.channels',
      ),
    );
  const ownBot = (messageContent: boolean) =>
    aDiscordService({
      plans: (discord) => {
        const { publicKey, botToken } = discord.addApp({ id: '901', messageContent });
        discord.invite('901', guildId);
        const own = { applicationId: '901', publicKey, botToken, guild: guildId };
        return [planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] })];
      },
    });

  test('the switch for message content is off (4014): its channel says which one, and does without once it is told to', async () => {
    const service = await ownBot(false);
    running = service;
    const { discord, app, channel } = service;
    await eventually(async () => {
      const [channel] = await channelOf(service);
      expect(channel).toMatchObject({ status: 'paused' });
      expect(channel?.status_reason).toContain('Message Content Intent');
      expect(channel?.status_reason).toContain('applications/901/bot');
    });
    expect(discord.sockets.open('901')).toBe(0);
    const { publicKey, botToken } = discord.app('901');
    const own = { applicationId: '901', publicKey, botToken, guild: guildId, messageContent: false };
    await app.apply(planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }), {
      dryRun: false,
    });
    await isConnected(discord, '901');
    expect(await channelOf(service)).toMatchObject([{ status: 'active' }]);
    discord.say(channel, { user: '7', text: 'nothing of this is read' });
    const said = discord.say(channel, { user: '7', text: mention('only mentions', '901') });
    expect(await postsIn(discord, said.id)).toEqual(['only mentions']);
  });

  test('the token of another application: its channel says so and what to do, and nothing is heard or said by it', async () => {
    const service = await aDiscordService({
      plans: (discord) => {
        const { publicKey } = discord.addApp({ id: '901' });
        const { botToken } = discord.addApp({ id: '902' });
        discord.invite('902', guildId);
        const own = { applicationId: '901', publicKey, botToken, guild: guildId };
        return [planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] })];
      },
    });
    running = service;
    const { discord, app, channel } = service;
    await eventually(async () => {
      const [row] = await channelOf(service);
      expect(row).toMatchObject({ status: 'paused' });
      expect(row?.status_reason).toContain('belongs to the application 902');
      expect(row?.status_reason).toContain('applications/901/bot');
    });
    expect(discord.sockets.open('902')).toBe(0);
    discord.say(channel, { user: '7', text: mention('not for this channel', '902') });
    const { publicKey, botToken } = discord.app('901');
    discord.invite('901', guildId);
    const own = { applicationId: '901', publicKey, botToken, guild: guildId };
    await app.apply(planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }), {
      dryRun: false,
    });
    await isConnected(discord, '901');
    const said = discord.say(channel, { user: '7', text: mention('with the right one', '901') });
    expect(await postsIn(discord, said.id)).toEqual(['with the right one']);
    expect((await service.rows('own')).messages.map(({ text }) => text)).not.toContain(
      'not for this channel',
    );
  });

  test('a token that was reset (4004) pauses the channel; another one in the file opens its socket', async () => {
    const service = await ownBot(true);
    running = service;
    const { discord, app, channel } = service;
    await isConnected(discord, '901');
    discord.setToken('901', 'another-token');
    discord.sockets.close('901', 4_004);
    await eventually(async () => {
      const [row] = await channelOf(service);
      expect(row).toMatchObject({ status: 'paused' });
      expect(row?.status_reason).toContain('4004');
    });
    const { publicKey } = discord.app('901');
    const own = { applicationId: '901', publicKey, botToken: 'another-token', guild: guildId };
    await app.apply(planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }), {
      dryRun: false,
    });
    await isConnected(discord, '901');
    const said = discord.say(channel, { user: '7', text: mention('back again', '901') });
    expect(await postsIn(discord, said.id)).toEqual(['back again']);
  });
});

test('a bot has as many sockets as Discord recommends shards, one each, and each hears its own servers', async () => {
  const service = await aDiscordService({
    discord: { shards: 2, maxConcurrency: 2 },
    plans: (discord) => {
      // The second bit above the first 22 of a server's id is its shard.
      const other = String((1n << 22n) + 5n);
      discord.addGuild({ id: other, members: ['7'] });
      discord.invite(sharedAppId, other);
      return [
        planPlatformTenant({ channels: [discordChannelOf({ guild: guildId })] }),
        planPlatformTenant({ slug: 'other', channels: [discordChannelOf({ guild: other })] }),
      ];
    },
  });
  running = service;
  const { discord } = service;
  await isConnected(discord, sharedAppId, 2);
  expect(discord.sockets.shards(sharedAppId)).toEqual([0, 1]);
  await isAnswered(service, 'on shard 0');
  const elsewhere = discord.addChannel(String((1n << 22n) + 5n));
  const said = discord.say(elsewhere, { user: '7', text: mention('on shard 1') });
  expect(await postsIn(discord, said.id)).toEqual(['on shard 1']);
  expect(discord.sockets.most(sharedAppId)).toBe(2);
});

test('an app without an address gets its interactions by the socket', async () => {
  const service = await connected({ hasAddress: false });
  const { discord, channel } = service;
  await discord.command(sharedAppId, channel, '7', 'ask', { question: 'by the socket' });
  expect(await postsIn(discord, channel)).toEqual(['by the socket']);
});
