import { afterEach, describe, expect, test } from 'vitest';
import { answerOperator } from '../../src/cli/answer-operator.ts';
import type { InstallLink } from '../../src/cli/install-link.ts';
import { installAgain } from '../../src/gateways/install-pause.ts';
import {
  aDiscordService,
  type DiscordService,
  guildId,
  isConnected,
  postsIn,
  sharedAppId,
} from '../support/a-discord-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { discordChannelOf, planPlatformTenant } from '../support/platform-tenants.ts';

let running: DiscordService | undefined;
afterEach(() => expect(running?.discord.violations).toEqual([]));

/** Two tenants whose channels wait for a server; the bot is in none of theirs yet. */
async function waiting(): Promise<DiscordService> {
  running = await aDiscordService({
    plans: (discord) => {
      for (const id of ['1006', '1007']) discord.addGuild({ id, name: `Server ${id}`, members: ['7'] });
      return [
        planPlatformTenant({ channels: [discordChannelOf()] }),
        planPlatformTenant({ slug: 'club', channels: [discordChannelOf()] }),
      ];
    },
  });
  await isConnected(running.discord);
  const url = new URL(running.url);
  running.discord.app(sharedAppId).redirectUris.push(`http://localhost:${url.port}/webhooks/discord/oauth`);
  return running;
}

const linkFor = async ({ config, app, url }: DiscordService, tenant: string): Promise<InstallLink> => {
  const request = { command: 'install-link', platform: 'discord', tenant, channel: 'discord' } as const;
  const local = url.replace('127.0.0.1', 'localhost');
  return (await answerOperator({ config, storage: app.storage, url: local }, request)) as InstallLink;
};

/** Opens a link as a browser does, and answers where Discord is asked, with the cookie that was set. */
async function begin(link: string): Promise<{ location: string; cookie: string }> {
  const response = await fetch(link, { redirect: 'manual' });
  expect(response.status).toBe(302);
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
  return { location: response.headers.get('location') ?? '', cookie };
}
const finish = async (back: URL, cookie: string) => {
  const response = await fetch(back, { headers: { cookie }, redirect: 'manual' });
  return { status: response.status, text: await response.text() };
};

test('a server is connected by the link, and answered from then on', async () => {
  const service = await waiting();
  const { discord } = service;
  const { url } = await linkFor(service, 'shop');
  const { location, cookie } = await begin(url);
  const asked = new URL(location).searchParams;
  expect(asked.get('scope')).toBe('bot applications.commands');
  expect(BigInt(asked.get('permissions') ?? 0) & (1n << 38n)).toBe(1n << 38n);
  expect(asked.get('state')).toBeTruthy();
  const done = await finish(discord.authorize(location, '1006'), cookie);
  expect(done).toMatchObject({ status: 200, text: expect.stringContaining('Server 1006 is connected') });
  const said = discord.say(discord.addChannel('1006'), { user: '7', text: `<@${sharedAppId}> at last` });
  expect(await postsIn(discord, said.id)).toEqual(['at last']);
  expect((await service.rows('shop')).messages).toHaveLength(2);
});

test('a link for the shared app says that the service has to be started with it', async () => {
  const service = await waiting();
  const platforms = { ...service.config.platforms, discord: { app: undefined, apiUrl: undefined } };
  const config = { ...service.config, platforms };
  await expect(linkFor({ ...service, config }, 'shop')).rejects.toThrow(
    /DISCORD_APPLICATION_ID.* not set\. Start the service with them/,
  );
});

describe('what the browser says about the server is a hint only', () => {
  test('another guild_id in the way back connects the server that the code is for', async () => {
    const service = await waiting();
    const { discord } = service;
    const { location, cookie } = await begin((await linkFor(service, 'shop')).url);
    const back = discord.authorize(location, '1006');
    back.searchParams.set('guild_id', '1007');
    expect(await finish(back, cookie)).toMatchObject({ status: 200, text: expect.stringContaining('1006') });
    const rows = await service.app.storage.scopes.inPlatform((unit) =>
      unit.sql(`SELECT key FROM directory.external_keys WHERE platform = 'discord' AND kind = 'guild'`),
    );
    expect(rows).toEqual([{ key: '1006' }]);
  });

  test('a state of another browser, a used one, a changed one and a foreign code connect nothing', async () => {
    const service = await waiting();
    const { discord } = service;
    const { location, cookie } = await begin((await linkFor(service, 'shop')).url);
    const back = discord.authorize(location, '1006');
    expect((await finish(back, 'swarmgate-discord=other')).status).toBe(400);
    const changed = new URL(back);
    changed.searchParams.set('state', `x${changed.searchParams.get('state')}`);
    expect((await finish(changed, cookie)).status).toBe(400);
    const foreign = new URL(back);
    foreign.searchParams.set('code', 'guessed');
    expect((await finish(foreign, cookie)).status).toBe(400);
    // It was used by the foreign code: however it ends, it counts once.
    expect((await finish(back, cookie)).status).toBe(400);
    const rows = await service.app.storage.scopes.inPlatform((unit) =>
      unit.sql(`SELECT key FROM directory.external_keys WHERE platform = 'discord' AND kind = 'guild'`),
    );
    expect(rows).toEqual([]);
  });
});

describe('a channel that is paused', () => {
  const pause = (service: DiscordService, reason: string) =>
    inTenantOf(service, 'shop', (unit) =>
      unit.sql(
        `UPDATE swarmgate.channels SET status = 'paused', status_reason = $1, version = version + 1 WHERE slug = 'discord'`,
        [reason],
      ),
    );
  const statusOf = async (service: DiscordService) => {
    const [row] = await inTenantOf(service, 'shop', (unit) =>
      unit.sql<{ status: string }>(`SELECT status FROM swarmgate.channels WHERE slug = 'discord'`),
    );
    return row?.status;
  };

  test('is refused where an installation begins and where it ends, and stays paused', async () => {
    const service = await waiting();
    const { url } = await linkFor(service, 'shop');
    const { location, cookie } = await begin(url);
    const back = service.discord.authorize(location, '1006');
    await pause(service, 'Discord refuses the bot token (4004).');
    await eventually(async () => {
      const response = await fetch(url, { redirect: 'manual' });
      expect(response.status).toBe(409);
      expect(await response.text()).toContain('The Discord channel that this link is for is paused');
    });
    const ended = await finish(back, cookie);
    expect(ended).toMatchObject({ status: 409, text: expect.stringContaining('Nothing was connected') });
    expect(await statusOf(service)).toBe('paused');
    await expect(linkFor(service, 'shop')).rejects.toThrow(
      'shop/discord is paused, which an installation does not mend: Discord refuses the bot token (4004).',
    );
  });

  test('because the bot was removed is connected again by its link', async () => {
    const service = await waiting();
    await pause(service, `The Discord bot was removed from the server. ${installAgain}.`);
    const { location, cookie } = await begin((await linkFor(service, 'shop')).url);
    expect(await finish(service.discord.authorize(location, '1006'), cookie)).toMatchObject({ status: 200 });
    expect(await statusOf(service)).toBe('active');
  });
});

test('a server that another tenant has is not taken from it', async () => {
  const service = await waiting();
  const { discord } = service;
  const first = await begin((await linkFor(service, 'shop')).url);
  await finish(discord.authorize(first.location, '1006'), first.cookie);
  const second = await begin((await linkFor(service, 'club')).url);
  expect(await finish(discord.authorize(second.location, '1006'), second.cookie)).toMatchObject({
    status: 409,
  });
});

test('for a server that the file names, the link is Discord’s own, for that server', async () => {
  running = await aDiscordService();
  const { url, expiresAt } = await linkFor(running, 'shop');
  expect(expiresAt).toBeUndefined();
  const asked = new URL(url).searchParams;
  expect(asked.get('guild_id')).toBe(guildId);
  expect(asked.get('disable_guild_select')).toBe('true');
});
