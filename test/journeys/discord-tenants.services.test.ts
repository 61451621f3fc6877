import { afterEach, describe, expect, test } from 'vitest';
import { snowflakeAt } from '#gateways/discord/places.ts';
import {
  aDiscordService,
  chooseServer,
  type DiscordService,
  guildId,
  interactionsUrlOf,
  isConnected,
  postsIn,
  sharedAppId,
} from '../support/a-discord-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { discordChannelOf, planPlatformTenant } from '../support/platform-tenants.ts';

let running: DiscordService | undefined;
afterEach(() => expect(running?.discord.violations).toEqual([]));

const textsOf = async ({ rows }: DiscordService, tenant: string) =>
  (await rows(tenant)).messages.map(({ text }) => text);
const channelOf = async (service: DiscordService, tenant: string) => {
  const [channel] = await inTenantOf(service, tenant, (unit) =>
    unit.sql<{ status: string; status_reason: string | null }>(
      'SELECT status, status_reason FROM swarmgate.channels',
    ),
  );
  return channel;
};

test('200 servers under one bot and 50 bots of tenants’ own: each is answered by the right one, for the right tenant', async () => {
  const servers = Array.from({ length: 200 }, (_, number) => String(2_000 + number));
  const bots = Array.from({ length: 50 }, (_, number) => String(5_000 + number));
  running = await aDiscordService({
    plans: (discord) => [
      ...servers.map((guild) => {
        discord.addGuild({ id: guild, members: ['7'] });
        discord.invite(sharedAppId, guild);
        return planPlatformTenant({ slug: `shared-${guild}`, channels: [discordChannelOf({ guild })] });
      }),
      ...bots.map((applicationId, index) => {
        // Every other one is in a server that the shared bot is in, too.
        const guild = index % 2 === 0 ? (servers[index] ?? '') : `9${applicationId}`;
        if (index % 2 === 1) discord.addGuild({ id: guild, members: ['7'] });
        const { publicKey, botToken } = discord.addApp({ id: applicationId });
        discord.invite(applicationId, guild);
        const own = { applicationId, publicKey, botToken, guild };
        return planPlatformTenant({ slug: `own-${applicationId}`, channels: [discordChannelOf(own)] });
      }),
    ],
  });
  const service = running;
  const { discord } = service;
  await isConnected(discord);
  for (const bot of bots) await isConnected(discord, bot);

  const asked = [
    ...servers.map((guild) => ({ bot: sharedAppId, guild, tenant: `shared-${guild}` })),
    ...bots.map((bot, index) => ({
      bot,
      guild: index % 2 === 0 ? (servers[index] ?? '') : `9${bot}`,
      tenant: `own-${bot}`,
    })),
  ].map(({ bot, guild, tenant }) => {
    const text = `${bot} in ${guild}`;
    const said = discord.say(discord.addChannel(guild), { user: '7', text: `<@${bot}> ${text}` });
    return { bot, tenant, text, said };
  });
  for (const { bot, text, said } of asked) {
    expect(await eventually(() => postsIn(discord, said.id), 90_000)).toEqual([text]);
    expect(discord.posts(said.id)[0]?.appId).toBe(bot);
  }
  for (const { tenant, text } of asked.filter((_, index) => index % 10 === 0))
    expect(await textsOf(service, tenant)).toEqual([text, text]);
  for (const bot of [sharedAppId, ...bots]) expect(discord.sockets.most(bot)).toBe(1);

  // Who is in all of them is asked which one it is about, in as many menus as a message can have.
  const { channelId } = discord.tellBot(sharedAppId, { user: '7', text: 'and in private?' });
  await postsIn(discord, channelId);
  const menus = discord.posts(channelId)[0]?.components as { components: { options: object[] }[] }[];
  expect(menus.map(({ components }) => components[0]?.options.length)).toEqual([25, 25, 25, 25, 25]);
}, 240_000);

describe('a server that no tenant has claimed', () => {
  test('is quarantined: nothing is kept, the operator sees it, and a command is told so', async () => {
    running = await aDiscordService();
    const { discord, app } = running;
    await isConnected(discord);
    discord.addGuild({ id: '1009', members: ['7'] });
    discord.invite(sharedAppId, '1009');
    const channel = discord.addChannel('1009');
    discord.say(channel, { user: '7', text: `<@${sharedAppId}> anybody there?` });
    const told = await discord.command(sharedAppId, channel, '7', 'ask', { question: 'hello?' });
    expect(told).toMatchObject({ status: 200, type: 4 });
    expect(JSON.stringify(told.data)).toContain('Nobody is set up');
    await eventually(async () => {
      const rows = await app.storage.scopes.inPlatform((unit) =>
        unit.sql('SELECT platform, kind, app, key FROM directory.quarantine'),
      );
      expect(rows).toEqual([{ platform: 'discord', kind: 'guild', app: '', key: '1009' }]);
    });
    expect(await textsOf(running, 'shop')).toEqual([]);
  });

  test('an own app cannot speak for a server that another tenant claims for the shared one, nor by its own signature', async () => {
    running = await aDiscordService({
      plans: (discord) => {
        const { publicKey } = discord.addApp({ id: '901' });
        const own = { applicationId: '901', publicKey, guild: '1005', key: 'ck_own', socket: false };
        return [
          planPlatformTenant({ slug: 'one', channels: [discordChannelOf({ guild: guildId })] }),
          planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }),
        ];
      },
    });
    const { discord } = running;
    const body = JSON.stringify({
      ...{ id: '1', application_id: '901', type: 2, token: 'forged', guild_id: guildId, channel_id: '4' },
      ...{
        member: { user: { id: '7' } },
        data: { name: 'ask', options: [{ name: 'question', value: 'forged' }] },
      },
    });
    expect((await discord.postSigned('901', interactionsUrlOf(running, 'ck_own'), body)).status).toBe(200);
    // And not at the shared app's address, either.
    expect((await discord.postSigned('901', interactionsUrlOf(running), body)).status).toBe(401);
    for (const tenant of ['one', 'own']) expect(await textsOf(running, tenant)).toEqual([]);
  });
});

test('whoever names another tenant’s application undoes no choice of its people', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      const { publicKey, botToken } = discord.addApp({ id: '901' });
      discord.addGuild({ id: '1003', members: ['7'] });
      for (const guild of [guildId, '1003']) discord.invite('901', guild);
      const own = { applicationId: '901', publicKey, botToken };
      const forged = { applicationId: '901', publicKey: discord.addApp({ id: '902' }).publicKey, guild: '1' };
      return [
        planPlatformTenant({
          channels: [
            discordChannelOf({ ...own, guild: guildId, key: 'ck_own' }),
            discordChannelOf({ ...own, slug: 'another', guild: '1003', socket: false }),
          ],
        }),
        planPlatformTenant({
          slug: 'evil',
          channels: [discordChannelOf({ ...forged, key: 'ck_evil', socket: false })],
        }),
      ];
    },
  });
  const { discord, app } = running;
  discord.app('901').interactionsUrl = interactionsUrlOf(running, 'ck_own');
  await isConnected(discord, '901');
  const direct = await chooseServer(discord, { appId: '901', guild: '1003' });
  const choices = () =>
    app.storage.scopes.inPlatform((unit) =>
      unit.sql<{ account: string }>('SELECT account FROM directory.direct_choices'),
    );
  expect(await choices()).toEqual([{ account: '1003' }]);
  const body = JSON.stringify({
    ...{ id: snowflakeAt(Date.now()), application_id: '901', type: 2, token: 'forged', channel_id: direct },
    ...{ user: { id: '7' }, data: { name: 'ask', options: [{ name: 'question', value: 'forged' }] } },
  });
  const posted = await discord.postSigned('902', interactionsUrlOf(running, 'ck_evil'), body);
  expect(posted.status).toBe(200);
  expect(await choices()).toEqual([{ account: '1003' }]);
});

test('a server that is claimed cannot be claimed by another tenant', async () => {
  running = await aDiscordService();
  const plan = planPlatformTenant({ slug: 'thief', channels: [discordChannelOf({ guild: guildId })] });
  await expect(running.app.apply(plan, { dryRun: false })).rejects.toThrow(
    'wants guild 1001, which another channel has claimed already',
  );
});

test('two channels of one tenant that want the same server are told of each other', async () => {
  running = await aDiscordService();
  const channels = [discordChannelOf({ guild: '1009' }), discordChannelOf({ slug: 'second', guild: '1009' })];
  const plan = planPlatformTenant({ slug: 'twice', channels });
  await expect(running.app.apply(plan, { dryRun: false })).rejects.toThrow(
    /twice\/second" wants guild 1009, which the tenant's own channel ".*twice\/discord" has claimed already/,
  );
});

test('the shared app cannot be given as an own one: the file is refused, with what to do', async () => {
  running = await aDiscordService();
  const { publicKey } = running.discord.app(sharedAppId);
  const own = { applicationId: sharedAppId, publicKey, botToken: 'made-up', guild: '1009' };
  const plan = planPlatformTenant({ slug: 'thief', channels: [discordChannelOf(own)] });
  await expect(running.app.apply(plan, { dryRun: false })).rejects.toThrow(
    /thief.*applicationId 900.*DISCORD_APPLICATION_ID.*leave applicationId.*out/,
  );
});

test('a bot that is removed from its server pauses the channel, an outage does not, and with the bot the channel is back', async () => {
  running = await aDiscordService();
  const service = running;
  const { discord, channel } = service;
  await isConnected(discord);
  discord.outage(sharedAppId, guildId);
  const during = discord.say(channel, { user: '7', text: `<@${sharedAppId}> still there?` });
  expect(await postsIn(discord, during.id)).toEqual(['still there?']);
  discord.removeBot(sharedAppId, guildId);
  await eventually(async () => {
    const row = await channelOf(service, 'shop');
    expect(row?.status).toBe('paused');
    expect(row?.status_reason).toContain('install-link');
  });
  discord.invite(sharedAppId, guildId);
  await eventually(async () => expect((await channelOf(service, 'shop'))?.status).toBe('active'));
  const after = discord.say(channel, { user: '7', text: `<@${sharedAppId}> and now?` });
  expect(await postsIn(discord, after.id)).toEqual(['and now?']);
});

test('a token that was revoked is tried once: its tenant is told, and the others of the address go on', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      const { publicKey, botToken } = discord.addApp({ id: '901' });
      discord.invite('901', guildId);
      const own = { applicationId: '901', publicKey, botToken, guild: guildId, socket: false, key: 'ck_own' };
      return [
        planPlatformTenant({ channels: [discordChannelOf({ guild: guildId })] }),
        planPlatformTenant({ slug: 'own', channels: [discordChannelOf(own)] }),
      ];
    },
  });
  const service = running;
  const { discord, channel, app } = service;
  discord.app('901').interactionsUrl = interactionsUrlOf(service, 'ck_own');
  await isConnected(discord);
  discord.setToken('901', 'reset-by-its-owner');
  const [place] = await inTenantOf(service, 'own', (unit, tenantId) =>
    unit
      .sql<{ id: string }>('SELECT id FROM swarmgate.channels')
      .then((rows) =>
        rows.map(({ id }) => ({ tenantId, channelId: id as typeof tenantId, platform: 'discord' as const })),
      ),
  );
  for (let number = 0; number < 20; number += 1)
    if (place)
      await app.sendMessage(place, {
        ...{ key: String(number), conversationExternalId: `#${channel}`, participantExternalId: '7' },
        ...{ role: 'agent', text: `unsent ${number}` },
      });
  await eventually(async () => {
    const row = await channelOf(service, 'own');
    expect(row?.status).toBe('paused');
    expect(row?.status_reason).toContain('applications/901/bot');
  });
  const said = discord.say(channel, { user: '7', text: `<@${sharedAppId}> we go on` });
  expect(await postsIn(discord, said.id)).toEqual(['we go on']);
  expect(discord.invalidCount()).toBeLessThan(5);
});

test('an own app without a bot answers commands by their tokens alone', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      const { publicKey } = discord.addApp({ id: '901' });
      const own = { applicationId: '901', publicKey, guild: guildId, key: 'ck_own', socket: false };
      return [planPlatformTenant({ channels: [discordChannelOf(own)] })];
    },
  });
  const { discord, channel } = running;
  discord.app('901').interactionsUrl = interactionsUrlOf(running, 'ck_own');
  await discord.command('901', channel, '7', 'ask', { question: 'without a bot' });
  expect(await postsIn(discord, channel)).toEqual(['without a bot']);
  expect(discord.sockets.identifies('901')).toEqual([]);
});

test('with the policy in_channel the answer is a reply, and what is said around it is not kept', async () => {
  running = await aDiscordService({
    plans: () => [
      planPlatformTenant({ channels: [discordChannelOf({ guild: guildId, replies: 'in_channel' })] }),
    ],
  });
  const { discord, channel } = running;
  await isConnected(discord);
  const said = discord.say(channel, { user: '7', text: `<@${sharedAppId}> right here` });
  expect(await postsIn(discord, channel)).toEqual(['right here']);
  expect(discord.posts(channel)[0]?.replyTo).toBe(said.id);
  discord.say(channel, { user: '8', text: 'by the way' });
  discord.say(channel, { user: '8', text: `<@${sharedAppId}> again` });
  expect(await postsIn(discord, channel, 2)).toEqual(['right here', 'again']);
  expect(await textsOf(running, 'shop')).not.toContain('by the way');
});

test('an own app that leaves one of its servers goes on in the others', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      const { publicKey, botToken } = discord.addApp({ id: '901' });
      discord.addGuild({ id: '1003', members: ['7'] });
      for (const guild of [guildId, '1003']) discord.invite('901', guild);
      return [
        planPlatformTenant({ channels: [discordChannelOf({ applicationId: '901', publicKey, botToken })] }),
      ];
    },
  });
  const { discord, channel } = running;
  await isConnected(discord, '901');
  discord.removeBot('901', '1003');
  const said = discord.say(channel, { user: '7', text: '<@901> still here' });
  expect(await postsIn(discord, said.id)).toEqual(['still here']);
  expect((await channelOf(running, 'shop'))?.status).toBe('active');
});

test('a server that mentions the bot where it may not write uses up its own share of refusals only', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      discord.addGuild({ id: '1002', members: ['7'] });
      discord.invite(sharedAppId, '1002');
      return [
        planPlatformTenant({ channels: [discordChannelOf({ guild: guildId })] }),
        planPlatformTenant({ slug: 'loud', channels: [discordChannelOf({ guild: '1002' })] }),
      ];
    },
  });
  const service = running;
  const { discord, channel } = service;
  await isConnected(discord);
  const silent = Array.from({ length: 40 }, () => discord.addChannel('1002'));
  for (const id of silent) discord.silence(sharedAppId, id);
  for (let round = 0; round < 2; round += 1)
    for (const id of silent) discord.say(id, { user: '7', text: `<@${sharedAppId}> answer me ${round}` });
  const settled = async () => {
    const { turns, deliveries } = await service.rows('loud');
    expect(turns).toHaveLength(80);
    expect(deliveries).toHaveLength(80);
    expect(deliveries.every(({ attempt }) => attempt > 0)).toBe(true);
    expect(deliveries.some(({ error_code: code }) => code === 'gateway_recipient_gone/50013')).toBe(true);
  };
  await eventually(settled, 60_000);
  // A channel refuses the typing, the thread and the post, so without a share there would be 240. How many there are, and
  // how many were put off until it is known how the first ones end, is a matter of time.
  expect(discord.invalidCount()).toBeLessThanOrEqual(60);

  const said = discord.say(channel, { user: '7', text: `<@${sharedAppId}> and we` });
  expect(await postsIn(discord, said.id)).toEqual(['and we']);
  // Those that were put off come meanwhile, within the same share.
  expect(discord.invalidCount()).toBeLessThanOrEqual(60);
}, 120_000);
