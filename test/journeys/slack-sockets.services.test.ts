import { expect, test } from 'vitest';
import { aService } from '../support/a-service.ts';
import { aSlackService, postsOf } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

test('a process that stops gives its sockets to another one', async () => {
  const first = await aSlackService({
    plans: (slack) => {
      slack.addWorkspace({ teamId: 'T5' });
      slack.addApp({ appId: 'A5', signingSecret: 'unused', appToken: 'xapp-5' });
      const { botToken } = slack.install('A5', 'T5');
      const own = { appId: 'A5', appToken: 'xapp-5', workspace: 'T5', botToken };
      return [planPlatformTenant({ channels: [slackChannelOf(own)] })];
    },
  });
  await eventually(() => expect(first.slack.sockets.open('A5')).toBe(1));
  const { slack, installation } = first;
  const second = await aService({
    installation,
    plans: [],
    env: { SLACK_API_URL: slack.apiUrl },
  });
  await first.close();
  // The first one's socket may still be counted; what is sent there is given up before the other one is open.
  await eventually(() => expect(slack.callsOf('apps.connections.open')).toHaveLength(2));
  await eventually(() => expect(slack.sockets.open('A5')).toBe(1));
  expect(slack.sockets.most('A5')).toBe(1);
  const said = await slack.say('T5', { user: 'U1', text: 'who is there?' });
  expect(await postsOf(slack, 'T5', said.channel)).toEqual(['who is there?']);
  expect(second.url).not.toBe(first.url);
});

test('two processes open one socket between them', async () => {
  const first = await aSlackService({
    plans: (slack) => {
      slack.addWorkspace({ teamId: 'T5' });
      slack.addApp({ appId: 'A5', signingSecret: 'unused', appToken: 'xapp-5' });
      const { botToken } = slack.install('A5', 'T5');
      const own = { appId: 'A5', appToken: 'xapp-5', workspace: 'T5', botToken };
      return [planPlatformTenant({ channels: [slackChannelOf(own)] })];
    },
  });
  const { slack, installation } = first;
  await aService({ installation, plans: [], env: { SLACK_API_URL: slack.apiUrl } });
  await eventually(() => expect(slack.sockets.open('A5')).toBe(1));
  for (let asked = 0; asked < 5; asked += 1) {
    const said = await slack.say('T5', { user: `U${asked}`, text: `question ${asked}` });
    expect(await postsOf(slack, 'T5', said.channel)).toEqual([`question ${asked}`]);
  }
  expect(slack.sockets.most('A5')).toBe(1);
});
