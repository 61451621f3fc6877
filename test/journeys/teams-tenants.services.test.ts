import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import {
  answersIn,
  aTeamsService,
  contoso,
  messagesUrlOf,
  sharedBot,
  type TeamsService,
} from '../support/a-teams-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf, placeOf } from '../support/place-of.ts';
import { planPlatformTenant, teamsChannelOf } from '../support/platform-tenants.ts';

let running: TeamsService | undefined;
afterEach(() => {
  expect(running?.teams.violations ?? []).toEqual([]);
  running = undefined;
});

const guid = (kind: string, index: number) =>
  `${kind}0000000-0000-0000-0000-${String(index).padStart(12, '0')}`;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

const textsOf = async ({ rows }: TeamsService, tenant: string) =>
  (await rows(tenant)).messages.map(({ text }) => text);

const channelsOf = (service: TeamsService, tenant: string) =>
  inTenantOf(service, tenant, (unit) =>
    unit.sql<{ status: string; status_reason: string | null }>(
      'SELECT status, status_reason FROM swarmgate.channels',
    ),
  );

test('200 Entra tenants under one bot and 50 with bots of their own are each answered with the right credential', async () => {
  const shared = range(200).map((index) => ({ slug: `shared-${index}`, tenant: guid('a', index) }));
  const own = range(50).map((index) => ({
    ...{ slug: `own-${index}`, tenant: guid('b', index), key: `ck_own-${index}` },
    ...{ appId: guid('c', index), password: `password-${index}`, isMulti: index % 5 === 0 },
  }));
  running = await aTeamsService({
    plans: (teams, at) => {
      for (const { appId, password, tenant, key, isMulti, slug } of own)
        teams.addApp({
          ...{ appId, password, name: slug, messagesUrl: messagesUrlOf(at, key) },
          ...(!isMulti && { homeTenant: tenant }),
        });
      return [
        ...shared.map(({ slug, tenant }) =>
          planPlatformTenant({ slug, channels: [teamsChannelOf({ aadTenant: tenant })] }),
        ),
        ...own.map(({ slug, tenant, key, appId, password, isMulti }) =>
          planPlatformTenant({
            slug,
            channels: [
              teamsChannelOf({
                ...{ aadTenant: tenant, key, appId, appPassword: password },
                ...(isMulti && { appTenant: 'multi-tenant' }),
              }),
            ],
          }),
        ),
      ];
    },
  });
  const { teams } = running;
  // The same person's id everywhere, and the same words but for the tenant.
  const asked = [
    ...shared.map(({ slug, tenant }) => ({ slug, tenant, appId: sharedBot.appId })),
    ...own.map(({ slug, tenant, appId }) => ({ slug, tenant, appId })),
  ];
  for (const some of range(5).map((part) => asked.slice(part * 50, part * 50 + 50)))
    await Promise.all(
      some.map(async ({ slug, tenant, appId }) => {
        const said = await teams.say(appId, {
          tenant,
          user: '29:same',
          text: `of ${slug}`,
          id: '1767000000001',
        });
        expect(said.deliveries.map(({ status }) => status)).toEqual([200]);
      }),
    );
  for (const { slug, tenant, appId } of asked) {
    const { id } = teams.direct(appId, tenant, '29:same');
    expect(await answersIn(teams, id)).toEqual([`of ${slug}`]);
    expect(teams.posts(id)[0]?.appId).toBe(appId);
    expect(await textsOf(running, slug)).toEqual([`of ${slug}`, `of ${slug}`]);
  }
  expect(teams.calls.filter(({ status }) => status >= 400)).toEqual([]);
  // One token for the shared bot, one for each other.
  expect(teams.tokensGiven(sharedBot.appId)).toBe(1);
  for (const { appId } of own) expect(teams.tokensGiven(appId)).toBe(1);
}, 180_000);

describe('a message of our own accord', () => {
  const message = (key: string, conversationExternalId: string, user = '29:ann') => ({
    ...{ key, conversationExternalId, participantExternalId: user, role: 'agent' as const },
    text: `news ${key}`,
  });

  test('goes out after a restart, to a person, a group and a channel that the bot has met', async () => {
    const installation = await anInstallation();
    const first = await aTeamsService({ installation });
    const { teams } = first;
    const group = teams.addConversation({ tenant: contoso, scope: 'groupChat' });
    const channel = teams.addConversation({ tenant: contoso, scope: 'channel' });
    const ann = teams.direct(sharedBot.appId, contoso, '29:ann');
    await teams.install(sharedBot.appId, { tenant: contoso, user: '29:ann' });
    for (const { id } of [group, channel])
      await teams.install(sharedBot.appId, { tenant: contoso, user: '29:ann', conversation: id });
    await first.close();

    const second = await aTeamsService({
      installation,
      env: {
        TEAMS_OPENID_METADATA_URL: teams.metadataUrl,
        TEAMS_LOGIN_URL: teams.loginUrl,
      },
    });
    const at = await placeOf(second, 'teams');
    await second.app.sendMessage(at, message('to-ann', '@29:ann'));
    await second.app.sendMessage(at, message('to-group', group.id));
    await second.app.sendMessage(at, message('to-channel', channel.id));
    expect(await answersIn(teams, ann.id)).toEqual(['news to-ann']);
    expect(await answersIn(teams, group.id)).toEqual(['news to-group']);
    expect(await answersIn(teams, channel.id)).toEqual(['news to-channel']);
    // What the person then says is the same conversation.
    teams.addApp({ ...sharedBot, messagesUrl: messagesUrlOf(second) });
    await teams.say(sharedBot.appId, { tenant: contoso, user: '29:ann', text: 'thanks' });
    await answersIn(teams, ann.id, 2);
    const { conversations } = await second.rows();
    expect(conversations).toHaveLength(3);
    expect(teams.violations).toEqual([]);
    await second.close();
    await installation.remove();
  });

  test('makes the chat with a person who has not written, once somebody of the tenant has', async () => {
    running = await aTeamsService();
    const { teams, app } = running;
    const at = await placeOf(running, 'teams');
    await teams.say(sharedBot.appId, { tenant: contoso, user: '29:ann', text: 'hello' });
    await app.sendMessage(at, message('to-bob', '@29:bob', '29:bob'));
    await app.sendMessage(at, message('to-bob-again', '@29:bob', '29:bob'));
    const bob = teams.direct(sharedBot.appId, contoso, '29:bob');
    expect(await answersIn(teams, bob.id, 2)).toEqual(['news to-bob', 'news to-bob-again']);
    expect(teams.calls.filter(({ path }) => path === '')).toHaveLength(1);
  });

  test('goes nowhere while Teams has not told where the tenant is: no token leaves for an address of ours', async () => {
    running = await aTeamsService();
    const { teams, app } = running;
    await app.sendMessage(await placeOf(running, 'teams'), message('too-early', '@29:bob', '29:bob'));
    await eventually(async () => {
      const { deliveries } = (await running?.rows()) ?? { deliveries: [] };
      expect(deliveries.map(({ state, error_code: code }) => [state, code])).toEqual([
        ['failed', 'gateway_recipient_gone'],
      ]);
    });
    expect(teams.calls).toEqual([]);
    expect(teams.tokensGiven(sharedBot.appId)).toBe(0);
  });
});

describe('an app that is removed', () => {
  test('by one person ends nothing for the others; a message after it is installed again goes out', async () => {
    running = await aTeamsService();
    const { teams, app } = running;
    const place = { tenant: contoso, user: '29:ann' };
    const { conversation } = await teams.say(sharedBot.appId, { ...place, text: 'hello' });
    await answersIn(teams, conversation);
    await teams.install(sharedBot.appId, place, 'remove');
    const at = await placeOf(running, 'teams');
    const said = {
      conversationExternalId: '@29:ann',
      participantExternalId: '29:ann',
      role: 'agent' as const,
    };
    await app.sendMessage(at, { key: 'while-away', ...said, text: 'while you were away' });
    await eventually(async () => {
      const { deliveries } = (await running?.rows()) ?? { deliveries: [] };
      expect(deliveries.at(-1)?.error_code).toBe('gateway_not_now');
    });
    // Teams was not asked: it had said so already.
    expect(teams.calls.filter(({ status }) => status >= 400)).toEqual([]);
    const other = await teams.say(sharedBot.appId, { tenant: contoso, user: '29:bob', text: 'me too' });
    expect(await answersIn(teams, other.conversation)).toEqual(['me too']);
    await teams.install(sharedBot.appId, place);
    expect(await answersIn(teams, conversation, 2)).toEqual(['hello', 'while you were away']);
    expect((await channelsOf(running, 'shop'))[0]?.status).toBe('active');
  });
});

describe('a password', () => {
  const own = { appId: guid('c', 1), password: 'right', tenant: guid('b', 1), key: 'ck_own' };
  const planOwn = (appPassword: string) =>
    planPlatformTenant({
      slug: 'own',
      channels: [teamsChannelOf({ aadTenant: own.tenant, key: own.key, appId: own.appId, appPassword })],
    });

  test('that Entra refuses pauses the channel of an own bot, with what to do; what waits goes out with the right one', async () => {
    running = await aTeamsService({
      plans: (teams, at) => {
        const { appId, password, tenant: homeTenant, key } = own;
        teams.addApp({ appId, password, name: 'Own', homeTenant, messagesUrl: messagesUrlOf(at, key) });
        return [planOwn('wrong')];
      },
    });
    const service = running;
    const { teams } = service;
    const { conversation } = await teams.say(own.appId, { tenant: own.tenant, text: 'anybody?' });
    await eventually(async () => {
      const [channel] = await channelsOf(service, 'own');
      expect(channel?.status).toBe('paused');
      expect(channel?.status_reason).toMatch(/AADSTS7000215.*client secret/);
      expect(channel?.status_reason).not.toContain('wrong');
    });
    expect(teams.posts(conversation)).toEqual([]);
    expect(teams.violations.every(({ what }) => what === 'a token was asked for that nobody gets')).toBe(
      true,
    );
    teams.forget();
    await service.app.apply(planOwn('right'), { dryRun: false });
    expect(await answersIn(teams, conversation)).toEqual(['anybody?']);
  });

  test('of the shared bot that Entra refuses pauses nobody: all wait until the operator has mended it', async () => {
    running = await aTeamsService({ env: { TEAMS_APP_PASSWORD: 'wrong' } });
    const service = running;
    const { teams } = service;
    await teams.say(sharedBot.appId, { tenant: contoso, text: 'anybody?' });
    await eventually(async () => {
      const { deliveries } = await service.rows();
      expect(deliveries[0]?.error_code).toBe('gateway_not_now');
    });
    expect((await channelsOf(service, 'shop'))[0]?.status).toBe('active');
    teams.forget();
  });

  test('a single-tenant shared bot gets its token where it is registered', async () => {
    running = await aTeamsService({ env: { TEAMS_APP_TENANT: contoso } });
    const { teams } = running;
    teams.addApp({ ...sharedBot, homeTenant: contoso, messagesUrl: messagesUrlOf(running) });
    const { conversation } = await teams.say(sharedBot.appId, { tenant: contoso, text: 'at home' });
    expect(await answersIn(teams, conversation)).toEqual(['at home']);
  });

  test('Entra that is away for a moment delays answers, and loses none', async () => {
    running = await aTeamsService();
    const { teams } = running;
    teams.failTokens(2);
    const { conversation } = await teams.say(sharedBot.appId, { tenant: contoso, text: 'later' });
    expect(await answersIn(teams, conversation)).toEqual(['later']);
  });
});

test('keys that rotate under load lose no message: what came too early is taken when Teams sends it again', async () => {
  running = await aTeamsService();
  const { teams } = running;
  let lookups = 0;
  const sent = range(60).map(async (index) => {
    await sleep(index * 50);
    if (index === 20 || index === 40) await teams.rotateKeys({ keepOld: index === 40 });
    const user = `29:user-${index % 10}`;
    const id = String(1_767_000_000_000 + index);
    // As Teams does: again, with the same id, until it is taken.
    return eventually(async () => {
      const { deliveries } = await teams.say(sharedBot.appId, {
        tenant: contoso,
        user,
        text: `load ${index}`,
        id,
      });
      if (deliveries[0]?.status !== 200) throw new Error(`answered ${deliveries[0]?.status}`);
    });
  });
  await Promise.all(sent);
  lookups = teams.lookups.keys;
  const service = running;
  await eventually(async () => {
    const { messages } = await service.rows();
    expect(messages.filter(({ role }) => role === 'agent')).toHaveLength(60);
  });
  const { messages } = await service.rows();
  const asked = messages.filter(({ role }) => role === 'visitor').map(({ text }) => text);
  expect(new Set(asked).size).toBe(60);
  expect(asked).toHaveLength(60);
  // The first look, and one for each rotation; a few more while nobody knew the new key.
  expect(lookups).toBeLessThanOrEqual(6);
});

test('a tenant that is claimed cannot be claimed by another channel of the same bot', async () => {
  running = await aTeamsService();
  const plan = planPlatformTenant({ slug: 'thief', channels: [teamsChannelOf({ aadTenant: contoso })] });
  await expect(running.app.apply(plan, { dryRun: false })).rejects.toThrow(/aad tenant.*claimed already/);
});
