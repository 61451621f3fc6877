import { afterEach, expect, onTestFinished, test } from 'vitest';
import {
  aDiscordService,
  type DiscordService,
  discordEnv,
  isConnected,
  postsIn,
  sharedAppId,
} from '../support/a-discord-service.ts';
import { aService } from '../support/a-service.ts';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { eventually } from '../support/eventually.ts';

let running: DiscordService | undefined;
afterEach(() => expect(running?.discord.violations).toEqual([]));
const mention = (text: string) => `<@${sharedAppId}> ${text}`;

test('two processes open one socket between them', async () => {
  running = await aDiscordService();
  const { discord, channel, installation } = running;
  await aService({ installation, plans: [], env: discordEnv(discord) });
  await isConnected(discord);
  for (let asked = 0; asked < 5; asked += 1) {
    const said = discord.say(channel, { user: '7', text: mention(`question ${asked}`) });
    expect(await postsIn(discord, said.id)).toEqual([`question ${asked}`]);
  }
  expect(discord.sockets.most(sharedAppId)).toBe(1);
  expect(discord.sockets.identifies(sharedAppId)).toHaveLength(1);
});

test('the process that holds the socket is killed: another one goes on with the session within ten seconds, and nothing is lost or answered twice', async () => {
  // Makes the tables and the plan, and is gone before the others come.
  running = await aDiscordService({ env: { ROLES: 'api' } });
  const { discord, channel, installation } = running;
  const atEnd = (end: () => Promise<void>) => void onTestFinished(end);
  const diary = await aDiary(atEnd);
  const holder = await aServiceProcess({ installation, diary, env: discordEnv(discord) }, atEnd);
  await isConnected(discord);
  const before = discord.say(channel, { user: '7', text: mention('before') });
  // The agent of that process says so that it was it.
  expect(await postsIn(discord, before.id)).toEqual(['You said: before']);
  await aService({ installation, plans: [], env: discordEnv(discord) });

  const saidMeanwhile = Array.from({ length: 5 }, (_, number) =>
    discord.say(channel, { user: '7', text: mention(`as it falls ${number}`) }),
  );
  holder.signal('SIGKILL');
  const killedAtMs = performance.now();
  await eventually(() => expect(discord.sockets.open(sharedAppId)).toBe(0));
  const after = discord.say(channel, { user: '7', text: mention('after it fell') });
  await isConnected(discord);
  expect(performance.now() - killedAtMs).toBeLessThan(10_000);

  expect(await postsIn(discord, after.id)).toEqual(['after it fell']);
  for (const [number, said] of saidMeanwhile.entries())
    expect(await postsIn(discord, said.id)).toEqual([expect.stringContaining(`as it falls ${number}`)]);
  expect(discord.sockets.identifies(sharedAppId)).toHaveLength(1);
  const { turns } = await running.rows();
  expect(turns).toHaveLength(7);
}, 120_000);
