import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeInstallLink } from '../../src/cli/install-link.ts';
import { done, scriptedAgent } from '../fakes/scripted-agent.ts';
import type { SlackService } from '../support/a-slack-service.ts';
import { aSlackService, postsOf } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

/** Repeats what it hears, word by word and so slowly that it is shown while it is written. */
const { agent } = scriptedAgent(async function* ({ message }) {
  for (const word of message.text.split(/(?<= )/)) {
    yield { kind: 'text', delta: word };
    await sleep(750);
  }
  yield done(message.text);
});

/** A service with a tenant whose channel waits to be installed. */
const aWaitingChannel = () =>
  aSlackService({
    overrides: { wrapAgents: () => agent },
    plans: (slack) => {
      for (const teamId of ['T1', 'T2']) slack.addWorkspace({ teamId, name: `Workspace ${teamId}` });
      return ['shop', 'other'].map((tenant) =>
        planPlatformTenant({
          slug: tenant,
          channels: [slackChannelOf()],
        }),
      );
    },
  });

/** A browser that keeps its cookie, goes where it is sent, and allows the app in a workspace. */
async function install(service: SlackService, tenant: string, teamId: string) {
  const { slack, app, url } = service;
  slack.approveAs({ teamId, user: 'UADMIN' });
  const link = await makeInstallLink(
    app.storage,
    { platform: 'slack', tenant, channel: 'slack' },
    { publicUrl: url, platforms: service.config.platforms },
  );
  const begun = await fetch(link.url, { redirect: 'manual' });
  if (begun.status !== 302) throw new Error(`${link.url}: ${begun.status} ${await begun.text()}`);
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const approved = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
  const back = approved.headers.get('location') ?? '';
  const finished = await fetch(back, { headers: { cookie } });
  return { begun, back, cookie, finished, page: await finished.text() };
}

test('install → message → streamed answer in the thread', async () => {
  const service = await aWaitingChannel();
  const { begun, finished, page } = await install(service, 'shop', 'T1');
  expect(begun.status).toBe(302);
  expect(finished.status).toBe(200);
  expect(page).toContain('Workspace T1');
  const { slack } = service;
  const [bot] = slack.callsOf('oauth.v2.access');
  const botUserId = String(bot?.answer['bot_user_id']);
  const { ts } = await eventually(async () => {
    const said = await slack.say('T1', {
      user: 'U1',
      channel: 'C1',
      text: `<@${botUserId}> hello to everybody`,
    });
    expect(slack.violations).toEqual([]);
    return said;
  });
  await eventually(async () =>
    expect(await postsOf(slack, 'T1', 'C1', { threadTs: ts })).toEqual(['hello to everybody']),
  );
  expect(slack.callsOf('chat.startStream')).toHaveLength(1);
  expect(slack.callsOf('chat.postMessage')).toHaveLength(0);
});

test('a workspace that is connected already is refused to another tenant, who learns nothing of the first', async () => {
  const service = await aWaitingChannel();
  expect((await install(service, 'shop', 'T1')).finished.status).toBe(200);
  const second = await install(service, 'other', 'T1');
  expect(second.finished.status).toBe(409);
  expect(second.page).not.toContain('shop');
  expect((await install(service, 'other', 'T2')).finished.status).toBe(200);
});

test('what came back once does not count twice, nor in another browser', async () => {
  const service = await aWaitingChannel();
  const { back, cookie } = await install(service, 'shop', 'T1');
  const again = await fetch(back, { headers: { cookie } });
  expect(again.status).toBe(400);
  const elsewhere = await fetch(back);
  expect(elsewhere.status).toBe(400);
});

test('an apply after the installation leaves it as it is', async () => {
  const service = await aWaitingChannel();
  await install(service, 'shop', 'T1');
  const { app, slack } = service;
  const plan = planPlatformTenant({ channels: [slackChannelOf({ replies: 'mentions' })] });
  await app.apply(plan, { dryRun: false });
  const changes = await app.apply(plan, { dryRun: false });
  expect(changes.every(({ action }) => action === 'unchanged')).toBe(true);
  await slack.say('T1', { user: 'U1', text: 'still here?' });
  await eventually(() => expect(slack.posts('T1', slack.directChannel('T1', 'U1'))).toHaveLength(1));
});
