import { expect, test } from 'vitest';
import { addressesOf, aSlackService, sharedApp } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

const sharedTenants = 1_000;
const ownApps = 50;

/**
 * The simulator is the judge: it refuses unknown tokens, and notes each call in which the token of one workspace or app
 * is used for what is another's.
 */
test('a thousand tenants of the shared app and fifty with apps of their own, in one process: the right token every time', async () => {
  const people = [...Array(sharedTenants).keys()].map((n) => ({
    team: `TS${n}`,
    app: sharedApp.appId,
    bot: '',
  }));
  const owners = [...Array(ownApps).keys()].map((n) => ({ team: `TO${n}`, app: `AO${n}`, bot: '' }));
  const service = await aSlackService({
    plans: (slack, { url }) => {
      const shared = people.map((one, n) => {
        slack.addWorkspace({ teamId: one.team });
        const { botToken, botUserId } = slack.install(one.app, one.team);
        one.bot = botUserId;
        return { slug: `shared-${n}`, channel: slackChannelOf({ workspace: one.team, botToken }) };
      });
      const own = owners.map((one, n) => {
        const key = `ck_own-${n}`;
        const signingSecret = `secret of ${one.app}`;
        slack.addWorkspace({ teamId: one.team });
        slack.addApp({ appId: one.app, signingSecret, ...addressesOf({ url }, key) });
        const { botToken, botUserId } = slack.install(one.app, one.team);
        one.bot = botUserId;
        const channel = slackChannelOf({ workspace: one.team, botToken, appId: one.app, signingSecret, key });
        return { slug: `own-${n}`, channel };
      });
      return [...shared, ...own].map(({ slug, channel }) =>
        planPlatformTenant({ slug, channels: [channel] }),
      );
    },
  });
  const { slack } = service;
  const everybody = [...people, ...owners];
  for (let from = 0; from < everybody.length; from += 50) {
    const some = everybody.slice(from, from + 50);
    await Promise.all(
      some.map(({ team, app, bot }) =>
        slack.say(team, { user: 'U1', channel: 'C1', text: `<@${bot}> I am ${team}`, app }),
      ),
    );
  }
  await eventually(() => {
    const unanswered = everybody.filter(({ team }) => slack.posts(team, 'C1').length === 0);
    if (unanswered.length > 0) throw new Error(`${unanswered.length} are not answered yet.`);
  }, 120_000);
  for (const { team, app } of everybody) {
    const [post, ...more] = slack.posts(team, 'C1');
    expect(post).toMatchObject({ finalText: `I am ${team}`, appId: app });
    expect(more).toEqual([]);
  }
  expect(slack.violations).toEqual([]);
  const refused = slack.calls.filter(({ answer }) => answer['ok'] === false);
  expect(refused).toEqual([]);
}, 400_000);
