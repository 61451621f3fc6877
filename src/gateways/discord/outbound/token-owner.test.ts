import { expect, onTestFinished, test } from 'vitest';
import { createPaceInProcess } from '#metering/pace-in-process.ts';
import { startDiscordSimulator } from '../../../simulators/discord/simulator.ts';
import { createPacer } from '../../pacer.ts';
import type { DiscordApp } from '../channel.ts';
import { createDiscordApi } from './api.ts';
import { createInvalidGuard } from './invalid-guard.ts';

/** An application 901, and what is called with the token of an application. */
async function aWorld(tokenOf: string, account = '901') {
  const discord = await startDiscordSimulator();
  onTestFinished(() => discord.close());
  discord.addApp({ id: '901' });
  discord.addApp({ id: '902' });
  discord.addGuild({ id: '1' });
  for (const id of ['901', '902']) discord.invite(id, '1');
  const channel = discord.addChannel('1');
  const { botToken } = discord.app(tokenOf);
  const app: DiscordApp = { applicationId: '901', account, botToken, apiUrl: discord.apiUrl };
  const budget = createPaceInProcess();
  const api = createDiscordApi({ pacer: createPacer(budget), guard: createInvalidGuard(budget) });
  const type = () =>
    api.call(app, { method: 'POST', route: `/channels/${channel}/typing` }, AbortSignal.timeout(5_000));
  return { discord, type };
}

test('a token is asked about once, and then used', async () => {
  const { discord, type } = await aWorld('901');
  await Promise.all([type(), type()]);
  await type();
  expect(discord.callsOf('GET', /^\/applications\/@me$/)).toHaveLength(1);
  expect(discord.callsOf('POST', /typing$/)).toHaveLength(3);
});

test('another application’s token does nothing, and the fault of the channel says whose it is and what to do', async () => {
  const { discord, type } = await aWorld('902');
  await expect(type()).rejects.toMatchObject({
    code: 'gateway_credentials_refused',
    channelFault: expect.stringMatching(/belongs to the application 902.*applications\/901\/bot/),
  });
  await expect(type()).rejects.toMatchObject({ code: 'gateway_credentials_refused' });
  expect(discord.callsOf('POST', /typing$/)).toEqual([]);
  expect(discord.callsOf('GET', /^\/applications\/@me$/)).toHaveLength(1);
});

test('of the shared app it names the variables, and pauses no tenant’s channel', async () => {
  const { type } = await aWorld('902', '');
  const error: unknown = await type().catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'gateway_not_now',
    message: expect.stringContaining('DISCORD_BOT_TOKEN'),
  });
  expect(error).toHaveProperty('channelFault', undefined);
});

test('while Discord does not tell, nothing is called; then it is', async () => {
  const { discord, type } = await aWorld('901');
  discord.fail('GET', /^\/applications\/@me$/, { kind: 'status', status: 503 });
  await expect(type()).rejects.toMatchObject({ code: 'gateway_unavailable', mayHaveArrived: false });
  await type();
  expect(discord.callsOf('POST', /typing$/)).toHaveLength(1);
});
