import { afterEach, describe, expect, test } from 'vitest';
import { addressesOf, aSlackService, postsOf, sharedApp } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

type Running = Awaited<ReturnType<typeof aSlackService>>;
let running: Running | undefined;
afterEach(() => expect(running?.slack.violations).toEqual([]));

/** Two tenants in workspaces T1 and T2 of the shared app, and one with an app of its own in T2. */
async function threeTenants(): Promise<Running & { bots: string[]; tokens: string[] }> {
  const bots: string[] = [];
  const tokens: string[] = [];
  running = await aSlackService({
    plans: (slack, { url }) => {
      for (const teamId of ['T1', 'T2']) slack.addWorkspace({ teamId });
      const [one, two] = ['T1', 'T2'].map((teamId) => slack.install(sharedApp.appId, teamId));
      slack.addApp({ appId: 'A2', signingSecret: 'secret-of-A2', ...addressesOf({ url }, 'ck_own') });
      const own = slack.install('A2', 'T2');
      for (const { botUserId, botToken } of [one, two, own].filter((bot) => bot !== undefined)) {
        bots.push(botUserId);
        tokens.push(botToken);
      }
      const ownApp = { appId: 'A2', signingSecret: 'secret-of-A2', key: 'ck_own' };
      return [
        planPlatformTenant({
          slug: 'one',
          channels: [slackChannelOf({ workspace: 'T1', botToken: one?.botToken ?? '' })],
        }),
        planPlatformTenant({
          slug: 'two',
          channels: [slackChannelOf({ workspace: 'T2', botToken: two?.botToken ?? '' })],
        }),
        planPlatformTenant({
          slug: 'own',
          channels: [slackChannelOf({ workspace: 'T2', botToken: own.botToken, ...ownApp })],
        }),
      ];
    },
  });
  return { ...running, bots, tokens };
}

const textsOf = async ({ rows }: Running, tenant: string) =>
  (await rows(tenant)).messages.map(({ text }) => text);

const channelsOf = (service: Running, tenant: string) =>
  inTenantOf(service, tenant, (unit) =>
    unit.sql<{ status: string; status_reason: string }>(
      'SELECT status, status_reason FROM swarmgate.channels',
    ),
  );

test('the same text at the same time stamp in two workspaces is answered in each', async () => {
  const service = await threeTenants();
  const { slack, bots } = service;
  const ts = '1767224888.280449';
  const said = ['T1', 'T2'].map((teamId, index) =>
    slack.say(teamId, {
      user: 'U1',
      channel: 'C7',
      text: `<@${bots[index]}> same`,
      ts,
      app: sharedApp.appId,
    }),
  );
  await Promise.all(said);
  for (const teamId of ['T1', 'T2'])
    expect(await postsOf(slack, teamId, 'C7', { threadTs: ts })).toEqual(['same']);
  expect(await textsOf(service, 'one')).toEqual(['same', 'same']);
  expect(await textsOf(service, 'two')).toEqual(['same', 'same']);
});

test('two apps in one workspace each answer with their own token, each for its own tenant', async () => {
  const service = await threeTenants();
  const { slack, bots } = service;
  await slack.say('T2', { user: 'U1', channel: 'C1', text: `<@${bots[1]}> to the shared one`, app: 'A1' });
  await slack.say('T2', { user: 'U1', channel: 'C2', text: `<@${bots[2]}> to the own one`, app: 'A2' });
  expect(await postsOf(slack, 'T2', 'C1')).toEqual(['to the shared one']);
  expect(await postsOf(slack, 'T2', 'C2')).toEqual(['to the own one']);
  expect(slack.posts('T2', 'C1')[0]?.appId).toBe('A1');
  expect(slack.posts('T2', 'C2')[0]?.appId).toBe('A2');
  expect(await textsOf(service, 'own')).toEqual(['to the own one', 'to the own one']);
});

test('a call that is signed with a secret that was changed a moment ago is taken at once, and one with the old secret is not', async () => {
  const service = await threeTenants();
  const { slack, app, url, tokens } = service;
  const body = { type: 'event_callback', team_id: 'T2', api_app_id: 'A2', event: { type: 'unknown' } };
  const call = (signingSecret: string, event_id: string) =>
    slack.raw('A2', {
      to: { url: addressesOf({ url }, 'ck_own').eventsUrl },
      body: { ...body, event_id },
      signingSecret,
    });
  expect(await call('secret-of-A2', 'Ev1')).toMatchObject({ status: 200 });
  const changed = { appId: 'A2', signingSecret: 'new-secret-of-A2', key: 'ck_own' };
  const channel = slackChannelOf({ workspace: 'T2', botToken: tokens[2] ?? '', ...changed });
  await app.apply(planPlatformTenant({ slug: 'own', channels: [channel] }), { dryRun: false });
  expect(await call('new-secret-of-A2', 'Ev2')).toMatchObject({ status: 200 });
  expect(await call('secret-of-A2', 'Ev3')).toMatchObject({ status: 401 });
});

describe('an account that nobody has claimed', () => {
  test('is quarantined: acknowledged, not kept, and shown to the operator', async () => {
    const service = await threeTenants();
    const { slack, app } = service;
    slack.addWorkspace({ teamId: 'T9' });
    const { botUserId } = slack.install(sharedApp.appId, 'T9');
    const said = await slack.say('T9', { user: 'U1', channel: 'C1', text: `<@${botUserId}> anybody there?` });
    expect(said.deliveries.map(({ status }) => status)).toEqual([200, 200]);
    const rows = await app.storage.scopes.inPlatform((unit) =>
      unit.sql('SELECT platform, kind, app, key FROM directory.quarantine'),
    );
    expect(rows).toEqual([{ platform: 'slack', kind: 'workspace', app: '', key: 'T9' }]);
    for (const tenant of ['one', 'two', 'own']) expect(await textsOf(service, tenant)).toEqual([]);
  });

  test('an app of a tenant’s own cannot speak for a workspace that another tenant claims', async () => {
    const service = await threeTenants();
    const { slack, url } = service;
    // What its owner could send: signed by its own secret, at its own address, in the name of T1.
    const event = {
      type: 'message',
      channel: 'D1',
      channel_type: 'im',
      user: 'U1',
      text: 'forged',
      ts: '1.1',
    };
    const delivery = await slack.raw('A2', {
      to: { url: addressesOf({ url }, 'ck_own').eventsUrl },
      body: { type: 'event_callback', team_id: 'T1', api_app_id: 'A2', event, event_id: 'Ev1' },
    });
    expect(delivery.status).toBe(200);
    for (const tenant of ['one', 'two', 'own']) expect(await textsOf(service, tenant)).toEqual([]);
  });
});

describe('an enterprise', () => {
  test('that has installed the app for all its workspaces is one tenant, but for a workspace with a channel of its own', async () => {
    const bots: string[] = [];
    const service = await aSlackService({
      plans: (slack) => {
        for (const teamId of ['T7', 'T8']) slack.addWorkspace({ teamId, enterpriseId: 'E1' });
        const all = slack.installEnterprise(sharedApp.appId, 'E1');
        bots.push(all.botUserId);
        const { botToken } = all;
        return [
          planPlatformTenant({ slug: 'one', channels: [slackChannelOf({ enterprise: 'E1', botToken })] }),
          planPlatformTenant({ slug: 'two', channels: [slackChannelOf({ workspace: 'T8', botToken })] }),
        ];
      },
    });
    running = service;
    const { slack } = service;
    for (const teamId of ['T7', 'T8']) {
      const { ts } = await slack.say(teamId, {
        user: 'U1',
        channel: `C${teamId}`,
        text: `<@${bots[0]}> from ${teamId}`,
      });
      expect(await postsOf(slack, teamId, `C${teamId}`, { threadTs: ts })).toEqual([`from ${teamId}`]);
    }
    expect(await textsOf(service, 'one')).toEqual(['from T7', 'from T7']);
    expect(await textsOf(service, 'two')).toEqual(['from T8', 'from T8']);
  });

  test('that writes in a channel shared with it is answered by the tenant whose installation Slack names', async () => {
    const service = await threeTenants();
    const { slack, bots } = service;
    slack.addChannel('T1', { id: 'C9', isShared: true });
    const text = `<@${bots[0]}> from outside`;
    await slack.say('T1', { user: 'U9', channel: 'C9', text, fromTeamId: 'T2', app: 'A1' });
    expect(await postsOf(slack, 'T1', 'C9')).toEqual(['from outside']);
    expect(await textsOf(service, 'one')).toEqual(['from outside', 'from outside']);
    expect(await textsOf(service, 'two')).toEqual([]);
  });
});

test('a workspace that is claimed cannot be claimed by another tenant', async () => {
  const { app } = await threeTenants();
  const plan = planPlatformTenant({ slug: 'thief', channels: [slackChannelOf({ workspace: 'T1' })] });
  await expect(app.apply(plan, { dryRun: false })).rejects.toThrow(/workspace T1.*claimed already/);
});

describe('an app that is removed', () => {
  test.each(['appUninstalled', 'tokensRevoked'] as const)(
    'pauses its channel, with a reason (%s)',
    async (end) => {
      const service = await threeTenants();
      const { slack } = service;
      await slack[end]('T1', { app: 'A1' });
      const [channel] = await channelsOf(service, 'one');
      expect(channel?.status).toBe('paused');
      expect(channel?.status_reason).toMatch(/install/i);
    },
  );

  test('without saying so pauses its channel too, and what waits goes out once it is back', async () => {
    const service = await threeTenants();
    const { slack, app, bots, tokens } = service;
    slack.revokeToken(tokens[0] ?? '');
    const text = `<@${bots[0]}> still there?`;
    const { ts } = await slack.say('T1', { user: 'U1', channel: 'C1', text, app: 'A1' });
    await eventually(async () => {
      const [channel] = await channelsOf(service, 'one');
      expect(channel?.status).toBe('paused');
    });
    const { botToken } = slack.install(sharedApp.appId, 'T1');
    const plan = planPlatformTenant({
      slug: 'one',
      channels: [slackChannelOf({ workspace: 'T1', botToken })],
    });
    await app.apply(plan, { dryRun: false });
    const [channel] = await channelsOf(service, 'one');
    expect(channel?.status).toBe('active');
    await eventually(
      () => expect(slack.posts('T1', 'C1', ts).map(({ finalText }) => finalText)).toEqual(['still there?']),
      55_000,
    );
  });
});
