import { expect, test } from 'vitest';
import { applyChannel } from '../apply-file.ts';
import { channelPlatforms, describeChannel, restoreChannel } from './catalog.ts';

const guid = '11111111-2222-3333-4444-555555555555';

const given = [
  { platform: 'webchat', origins: ['https://acme.example'] },
  {
    ...{ platform: 'webchat', origins: ['https://acme.example'], greeting: 'Hello', suggestions: ['Help'] },
    identity: { secret: 's'.repeat(40), issuer: 'acme', required: true },
  },
  {
    platform: 'webchat',
    origins: ['https://acme.example'],
    identity: { jwksUrl: 'https://acme.example/keys' },
  },
  { platform: 'slack' },
  { platform: 'slack', workspace: 'T1', botToken: 'xoxb-1', replies: 'mentions' },
  {
    platform: 'slack',
    appId: 'A1',
    signingSecret: 's',
    clientId: 'c',
    clientSecret: 'd',
    appToken: 'xapp-1',
  },
  { platform: 'discord', guild: '1', streaming: false },
  { platform: 'discord', applicationId: '2', publicKey: 'a'.repeat(64), botToken: 't', clientSecret: 'c' },
  { platform: 'teams', aadTenant: guid },
  { platform: 'teams', aadTenant: guid, appId: guid, appPassword: 'p' },
  { platform: 'teams', aadTenant: guid, appId: guid, appPassword: 'p', appTenant: 'multi-tenant' },
  { platform: 'twilio', number: '+15550001', quietHours: { from: '21:00', to: '08:00' } },
  {
    platform: 'twilio',
    accountSid: 'AC1',
    authToken: 't',
    messagingService: 'MG1',
    optOut: { helpText: 'Help' },
  },
].map((channel) => applyChannel.parse({ slug: 'one', ...channel }));

test.each(given)('what was given for a $platform channel is found again in what is kept ($#)', (channel) => {
  const described = describeChannel(channel);
  const kept = Object.fromEntries(
    Object.entries(described.secrets).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const settings = { ...described.settings, installation: { name: 'Acme' }, apiUrl: 'http://localhost' };
  const secrets = { ...kept, installedBotToken: 'xoxb-2' };

  const restored = restoreChannel(channel.platform, settings, secrets);

  const { slug, platform } = channel;
  expect(describeChannel(applyChannel.parse({ slug, platform, ...restored }))).toEqual(described);
});

test('there is an example of every platform', () => {
  expect(new Set(given.map(({ platform }) => platform))).toEqual(new Set(channelPlatforms));
});
