import { afterEach, describe, expect, test } from 'vitest';
import {
  aDiscordService,
  chooseServer,
  type DiscordService,
  guildId,
  isConnected,
  postsIn,
  sharedAppId,
} from '../support/a-discord-service.ts';
import { eventually } from '../support/eventually.ts';
import { discordChannelOf, planPlatformTenant } from '../support/platform-tenants.ts';

/** Direct messages name no server, and so no tenant: the person says whom they talk to. */

let running: DiscordService | undefined;
afterEach(() => expect(running?.discord.violations).toEqual([]));

/** Two tenants, each with a server of the shared app; person 7 is in both, person 8 in the first one. */
async function twoServers(): Promise<DiscordService> {
  running = await aDiscordService({
    plans: (discord) => {
      discord.addGuild({ id: '1002', name: 'The club', members: ['7', '5'] });
      discord.invite(sharedAppId, '1002');
      return [
        planPlatformTenant({ channels: [discordChannelOf({ guild: guildId })] }),
        planPlatformTenant({ slug: 'club', channels: [discordChannelOf({ guild: '1002' })] }),
      ];
    },
  });
  await isConnected(running.discord);
  return running;
}

const saidTo = async ({ rows }: DiscordService, tenant: string) =>
  (await rows(tenant)).messages
    .filter(({ role, kind }) => role === 'visitor' && kind === 'message')
    .map(({ text }) => text);

describe('somebody who has not said whom they talk to', () => {
  test('gets a menu of the servers that they share with the bot, and nothing of what they wrote is kept', async () => {
    const service = await twoServers();
    const { discord } = service;
    const { channelId } = discord.tellBot(sharedAppId, { user: '7', text: 'my secret' });
    const [text] = await postsIn(discord, channelId);
    expect(text).toContain('which server');
    const [menu] = discord.posts(channelId);
    expect(JSON.stringify(menu?.components)).toMatch(/The club.*The shop/);
    for (const tenant of ['shop', 'club']) expect(await saidTo(service, tenant)).toEqual([]);
    const rows = await service.app.storage.scopes.inPlatform((unit) =>
      unit.sql('SELECT * FROM directory.direct_choices'),
    );
    expect(rows).toEqual([]);
    expect(JSON.stringify(service.logLines)).not.toContain('my secret');
  });

  test('is looked for once, however much they write', async () => {
    const { discord } = await twoServers();
    const isMember = /^\/guilds\/\d+\/members\/7$/;
    discord.fail('GET', isMember, { kind: 'status', status: 503, times: 1_000 });
    const { channelId } = discord.tellBot(sharedAppId, { user: '7', text: 'one' });
    await postsIn(discord, channelId);
    const looked = discord.callsOf('GET', isMember).length;
    for (const text of ['two', 'three', 'four']) discord.say(channelId, { user: '7', text });
    discord.mend();
    const [menu] = discord.posts(channelId);
    const at = { id: menu?.id ?? '', channelId };
    await discord.press(sharedAppId, at, '7', 'swarmgate:server:0', [guildId]);
    discord.say(channelId, { user: '7', text: 'to the shop' });
    await postsIn(discord, channelId, 2);
    // The last one was for the press.
    expect(discord.callsOf('GET', isMember)).toHaveLength(looked + 1);
  });

  test('is offered only servers that they are in', async () => {
    const { discord } = await twoServers();
    const { channelId } = discord.tellBot(sharedAppId, { user: '8', text: 'hello' });
    await postsIn(discord, channelId);
    const menu = JSON.stringify(discord.posts(channelId)[0]?.components);
    expect(menu).toContain('The shop');
    expect(menu).not.toContain('The club');
  });

  test('cannot choose a server that they are not in, whatever their client sends', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = await chooseServer(discord, { user: '8', guild: '1002' });
    discord.say(channel, { user: '8', text: 'let me in' });
    await eventually(() => expect(discord.posts(channel).length).toBeGreaterThanOrEqual(2));
    expect(await saidTo(service, 'club')).toEqual([]);
  });

  test('is answered in private when they ask by a command, and asked to choose first', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = discord.directChannel(sharedAppId, '7');
    const told = await discord.command(sharedAppId, channel, '7', 'ask', { question: 'a question' });
    expect(told).toMatchObject({ type: 4 });
    expect(JSON.stringify(told.data)).toContain('The shop');
    for (const tenant of ['shop', 'club']) expect(await saidTo(service, tenant)).toEqual([]);
  });
});

describe('somebody who chooses anew while Discord is asked whether they are still where they were', () => {
  // As long as real ids: the SDK asks of one server at a time only for those.
  const [shop, club] = ['100000000000000001', '100000000000000002'];

  async function chosenClub(): Promise<DiscordService & { direct: string }> {
    running = await aDiscordService({
      plans: (discord) => {
        for (const [id, name] of [
          [shop, 'The shop'],
          [club, 'The club'],
        ] as const) {
          discord.addGuild({ id, name, members: ['7'] });
          discord.invite(sharedAppId, id);
        }
        return [
          planPlatformTenant({ channels: [discordChannelOf({ guild: shop })] }),
          planPlatformTenant({ slug: 'club', channels: [discordChannelOf({ guild: club })] }),
        ];
      },
    });
    const { discord, app } = running;
    await isConnected(discord);
    const direct = await chooseServer(discord, { guild: club });
    await app.storage.scopes.inPlatform((unit) =>
      unit.sql(`UPDATE directory.direct_choices SET checked_at = now() - interval '2 hours'`),
    );
    return { ...running, direct };
  }

  test.each(['is', 'is not'])('stays with the new choice when the answer is that one %s', async (there) => {
    const { discord, app, direct } = await chosenClub();
    const isMember = new RegExp(`/guilds/${club}/members/7`);
    if (there === 'is not') discord.leave(club, '7');
    const begun = Promise.withResolvers<void>();
    discord.fail('GET', isMember, { kind: 'slow', delayMs: 1_000, onBegun: begun.resolve });
    discord.say(direct, { user: '7', text: 'to the club' });
    await begun.promise;
    const [menu] = discord.posts(direct);
    const at = { id: menu?.id ?? '', channelId: direct };
    const pressed = await discord.press(sharedAppId, at, '7', 'swarmgate:server:0', [shop]);
    expect(pressed).toMatchObject({ type: 7 });
    discord.say(direct, { user: '7', text: 'to the shop' });
    // Two conversations: which of them is answered first does not matter.
    await eventually(() =>
      expect(discord.posts(direct).map(({ content }) => content)).toContain('to the shop'),
    );
    const rows = await app.storage.scopes.inPlatform((unit) =>
      unit.sql<{ account: string }>('SELECT account FROM directory.direct_choices'),
    );
    expect(rows).toEqual([{ account: shop }]);
  });
});

describe('somebody who has chosen', () => {
  test('is answered, by messages and by commands, in one conversation', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = await chooseServer(discord, { guild: '1002' });
    discord.say(channel, { user: '7', text: 'by message' });
    expect((await postsIn(discord, channel, 2))[1]).toBe('by message');
    await discord.command(sharedAppId, channel, '7', 'ask', { question: 'by command' });
    expect((await postsIn(discord, channel, 3))[2]).toBe('by command');
    const { messages } = await service.rows('club');
    expect(new Set(messages.map(({ conversation_id: id }) => id)).size).toBe(1);
    expect(await saidTo(service, 'shop')).toEqual([]);
  });

  test('may choose another server, which is another conversation with another tenant', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = await chooseServer(discord, { guild: '1002' });
    discord.say(channel, { user: '7', text: 'to the club' });
    await postsIn(discord, channel, 2);
    const told = await discord.command(sharedAppId, channel, '7', 'server');
    expect(told.type).toBe(4);
    const menu = discord.posts(channel).findLast(({ components }) => components.length > 0);
    const at = { id: menu?.id ?? '', channelId: channel };
    expect(await discord.press(sharedAppId, at, '7', 'swarmgate:server:0', [guildId])).toMatchObject({
      type: 7,
    });
    discord.say(channel, { user: '7', text: 'to the shop' });
    expect((await postsIn(discord, channel, 4))[3]).toBe('to the shop');
    expect(await saidTo(service, 'club')).toEqual(['to the club']);
    expect(await saidTo(service, 'shop')).toEqual(['to the shop']);
  });

  test('and has left the server since is asked again, once that is looked at', async () => {
    const service = await twoServers();
    const { discord, app } = service;
    const channel = await chooseServer(discord, { guild: '1002' });
    discord.say(channel, { user: '7', text: 'still a member' });
    await postsIn(discord, channel, 2);
    discord.leave('1002', '7');
    await app.storage.scopes.inPlatform((unit) =>
      unit.sql(`UPDATE directory.direct_choices SET checked_at = now() - interval '2 hours'`),
    );
    discord.say(channel, { user: '7', text: 'not a member' });
    const [, , menu] = await postsIn(discord, channel, 3);
    expect(menu).toContain('which server');
    expect(await saidTo(service, 'club')).toEqual(['still a member']);
  });

  test('is not heard there with what they said before, when it is told once more', async () => {
    const service = await twoServers();
    const { discord, app } = service;
    const channel = await chooseServer(discord, { guild: '1002' });
    // As if they had chosen only after the next message.
    await app.storage.scopes.inPlatform((unit) =>
      unit.sql(`UPDATE directory.direct_choices SET chosen_at = now() + interval '1 hour'`),
    );
    discord.say(channel, { user: '7', text: 'for somebody else' });
    await eventually(() =>
      expect(service.logLines.map(({ msg }) => msg)).toContain(
        'a direct message from before its author chose a server was left out',
      ),
    );
    await app.storage.scopes.inPlatform((unit) =>
      unit.sql(`UPDATE directory.direct_choices SET chosen_at = now() - interval '1 hour'`),
    );
    discord.say(channel, { user: '7', text: 'for the club' });
    expect((await postsIn(discord, channel, 2))[1]).toBe('for the club');
    expect(await saidTo(service, 'club')).toEqual(['for the club']);
  });

  test('and then another one changes what they said before where it was said', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = await chooseServer(discord, { guild: '1002' });
    const edited = discord.say(channel, { user: '7', text: 'to the cbul' });
    const deleted = discord.say(channel, { user: '7', text: 'a secret' });
    await postsIn(discord, channel, 3);
    const answer = discord.posts(channel)[1];
    await discord.command(sharedAppId, channel, '7', 'server');
    const menu = discord.posts(channel).findLast(({ components }) => components.length > 0);
    const at = { id: menu?.id ?? '', channelId: channel };
    await discord.press(sharedAppId, at, '7', 'swarmgate:server:0', [guildId]);
    discord.say(channel, { user: '7', text: 'to the shop' });
    await eventually(async () => expect(await saidTo(service, 'shop')).toEqual(['to the shop']));

    discord.edit(edited, 'to the club');
    discord.remove(deleted);
    discord.react({ id: answer?.id ?? '', channelId: channel }, '7', '👍');
    await eventually(async () => {
      expect(await saidTo(service, 'club')).toEqual(['to the club', '']);
      const kinds = (await service.rows('club')).messages.map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(['edit', 'delete', 'reaction']));
    });
    expect((await service.rows('shop')).messages.every(({ kind }) => kind === 'message')).toBe(true);
  });

  test('edits, deletes and reacts there as elsewhere', async () => {
    const service = await twoServers();
    const { discord } = service;
    const channel = await chooseServer(discord);
    const said = discord.say(channel, { user: '7', text: 'a mistaek' });
    await postsIn(discord, channel, 2);
    await eventually(async () =>
      expect((await service.rows('shop')).deliveries.every(({ state }) => state === 'sent')).toBe(true),
    );
    discord.edit(said, 'a mistake');
    const answer = discord.posts(channel)[1];
    discord.react({ id: answer?.id ?? '', channelId: channel }, '7', '👍');
    await eventually(async () => {
      const kinds = (await service.rows('shop')).messages.map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(['edit', 'message', 'message', 'reaction']);
    });
    discord.remove(said);
    await eventually(async () => expect(await saidTo(service, 'shop')).not.toContain('a mistake'));
  });
});

test('an own bot that is in one server of its tenant asks nothing', async () => {
  running = await aDiscordService({
    plans: (discord) => {
      const { publicKey, botToken } = discord.addApp({ id: '901' });
      discord.invite('901', guildId);
      const own = { applicationId: '901', publicKey, botToken, guild: guildId };
      return [planPlatformTenant({ channels: [discordChannelOf(own)] })];
    },
  });
  const { discord } = running;
  await isConnected(discord, '901');
  const { channelId } = discord.tellBot('901', { user: '7', text: 'hello, own bot' });
  expect(await postsIn(discord, channelId)).toEqual(['hello, own bot']);
});

test('an own app without a server of its own takes all that it is in, and its direct messages', async () => {
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
  const { discord } = running;
  await isConnected(discord, '901');
  for (const guild of [guildId, '1003']) {
    const said = discord.say(discord.addChannel(guild), { user: '7', text: `<@901> in ${guild}` });
    expect(await postsIn(discord, said.id)).toEqual([`in ${guild}`]);
  }
  const { channelId } = discord.tellBot('901', { user: '7', text: 'in private' });
  expect(await postsIn(discord, channelId)).toEqual(['in private']);
});

describe('a bot in more servers than can be looked at', () => {
  const far = '2299';
  const named = '2290';
  /** 300 servers; person 7 is in two of the last ones. */
  async function manyServers(): Promise<DiscordService> {
    const guilds = Array.from({ length: 300 }, (_, number) => String(2_000 + number));
    running = await aDiscordService({
      plans: (discord) => {
        for (const id of guilds) {
          const members = id === far || id === named ? ['7'] : ['8'];
          discord.addGuild({ id, name: `Server ${id}`, members });
          discord.invite(sharedAppId, id);
        }
        const channels = guilds.map((guild) => discordChannelOf({ slug: `in-${guild}`, guild }));
        return [planPlatformTenant({ slug: 'many', channels })];
      },
    });
    await isConnected(running.discord);
    return running;
  }
  const lookUps = ({ discord }: DiscordService) =>
    discord.callsOf('GET', /^\/guilds\/\d+\/members\/7$/).length;
  const lastMenu = ({ discord }: DiscordService, channel: string) => {
    const shown = discord.posts(channel).at(-1);
    return {
      loading: shown?.loading,
      content: shown?.content ?? '',
      options: JSON.stringify(shown?.components),
    };
  };

  test('is asked in time, looks at a part, says so, and finds the server by a mention or a part of its name', async () => {
    const service = await manyServers();
    const { discord } = service;
    const channel = discord.directChannel(sharedAppId, '7');
    const isMember = /^\/guilds\/\d+\/members\/7$/;
    discord.fail('GET', isMember, { kind: 'slow', delayMs: 100, times: 10_000 });

    const told = await discord.command(sharedAppId, channel, '7', 'server');
    expect(told).toMatchObject({ status: 200, type: 5 });
    expect(told.tookMs).toBeLessThan(2_500);
    await eventually(() => expect(lastMenu(service, channel).loading).toBe(false));
    expect(lastMenu(service, channel).content).toContain('Mention me once in the server');
    expect(lastMenu(service, channel).options).toBe('[]');
    expect(lookUps(service)).toBeLessThanOrEqual(125);

    const before = lookUps(service);
    await discord.command(sharedAppId, channel, '7', 'server', { name: 'ver 2290' });
    await eventually(() => expect(lastMenu(service, channel).options).toContain('Server 2290'));
    expect(lookUps(service) - before).toBe(1);

    discord.say(discord.addChannel(far), { user: '7', text: `<@${sharedAppId}> I am here` });
    await eventually(async () => {
      await discord.command(sharedAppId, channel, '7', 'server');
      await eventually(() => expect(lastMenu(service, channel).loading).toBe(false));
      expect(lastMenu(service, channel).options).toContain('Server 2299');
    });
    expect(lastMenu(service, channel).content).toContain('not looked at all servers');
    // A server of others is shown to nobody who is not in it, whatever name is typed.
    await discord.command(sharedAppId, channel, '7', 'server', { name: 'Server 2001' });
    await eventually(() =>
      expect(lastMenu(service, channel).content).toContain('no server with that in its name'),
    );
  }, 120_000);
});
