import { afterEach, expect, test } from 'vitest';
import { aSlackService, postsOf, type SlackService } from '../support/a-slack-service.ts';
import { eventually } from '../support/eventually.ts';
import { planPlatformTenant, slackChannelOf } from '../support/platform-tenants.ts';

let running: SlackService | undefined;
afterEach(() => expect(running?.slack.violations).toEqual([]));

/** A tenant whose own app talks by a socket, and has no address at all. */
async function aSocketApp(): Promise<SlackService> {
  running = await aSlackService({
    // Slack says again what nobody acknowledged, and that is how nothing is lost while a socket is opened anew.
    slack: { retryDelaysMs: [500, 3_000, 6_000] },
    plans: (slack) => {
      slack.addWorkspace({ teamId: 'T5' });
      slack.addApp({ appId: 'A5', signingSecret: 'unused', appToken: 'xapp-5' });
      const { botToken } = slack.install('A5', 'T5');
      const own = { appId: 'A5', appToken: 'xapp-5', workspace: 'T5', botToken };
      return [planPlatformTenant({ channels: [slackChannelOf(own)] })];
    },
  });
  const { slack } = running;
  await eventually(() => expect(slack.sockets.open('A5')).toBe(1));
  return running;
}

test('messages, commands and clicks come by the socket and are answered by the Web API', async () => {
  const { slack } = await aSocketApp();
  const said = await slack.say('T5', { user: 'U1', text: 'over the socket' });
  expect(said.deliveries).toMatchObject([{ via: 'socket', status: 200 }]);
  expect(await postsOf(slack, 'T5', said.channel)).toEqual(['over the socket']);

  const [command] = await slack.command('T5', {
    user: 'U1',
    channel: 'C1',
    command: '/ask',
    text: 'by command',
  });
  expect(command?.body).toContain('direct message');
  expect(await postsOf(slack, 'T5', said.channel, { count: 2 })).toEqual(['over the socket', 'by command']);
});

test('a socket that Slack closes is opened again, and nothing that was said meanwhile is lost', async () => {
  const { slack } = await aSocketApp();
  slack.sockets.drop('A5');
  const said = await slack.say('T5', { user: 'U1', text: 'after the break' });
  expect(await postsOf(slack, 'T5', said.channel)).toEqual(['after the break']);
});

test('a channel that gets an app token while the service runs gets its socket', async () => {
  running = await aSlackService({ plans: () => [] });
  const { slack, app } = running;
  slack.addWorkspace({ teamId: 'T6' });
  slack.addApp({ appId: 'A6', signingSecret: 'unused', appToken: 'xapp-6' });
  const { botToken } = slack.install('A6', 'T6');
  const own = { appId: 'A6', appToken: 'xapp-6', workspace: 'T6', botToken };
  await app.apply(planPlatformTenant({ channels: [slackChannelOf(own)] }), { dryRun: false });
  await eventually(() => expect(slack.sockets.open('A6')).toBe(1));
});
