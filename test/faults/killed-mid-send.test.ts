import { describe, type TestContext, test } from 'vitest';
import { startSlackSimulator } from '../../src/simulators/slack/simulator.ts';
import { startTeamsSimulator } from '../../src/simulators/teams/simulator.ts';
import { startTwilioSimulator } from '../../src/simulators/twilio/simulator.ts';
import { aDiary, aServiceProcess, hasFallen } from '../support/a-service-process.ts';
import { addressesOf, sharedApp, slackEnv } from '../support/a-slack-service.ts';
import { answersIn, contoso, messagesUrlOf, sharedBot, teamsEnv } from '../support/a-teams-service.ts';
import { messagesUrl, ourNumber, sharedAccount } from '../support/a-twilio-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { FallPoint } from '../support/fall-points.ts';
import {
  planPlatformTenant,
  slackChannelOf,
  teamsChannelOf,
  twilioChannelOf,
} from '../support/platform-tenants.ts';

/** The platform has the answer, nobody has recorded it, and the process is gone. */

async function theProcess(
  { onTestFinished }: TestContext,
  at: FallPoint,
  options: Pick<Parameters<typeof aServiceProcess>[0], 'env' | 'plan' | 'speakingMs'>,
) {
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const diary = await aDiary(onTestFinished);
  const service = await aServiceProcess(
    { installation, diary, fall: { at, signal: 'SIGKILL' }, ...options },
    onTestFinished,
  );
  return { service, diary };
}

describe('kill -9', () => {
  for (const at of ['before-delivery-part', 'mid-delivery', 'after-receive-commit'] as const)
    test(`${at}, with Slack: answered once`, async (context) => {
      const { expect } = context;
      const slack = await startSlackSimulator({ retryDelaysMs: [1_000, 5_000, 10_000] });
      context.onTestFinished(() => slack.close());
      slack.addWorkspace({ teamId: 'T1' });
      const app = slack.addApp(sharedApp);
      const { botToken, botUserId } = slack.install('A1', 'T1');
      const { service } = await theProcess(context, at, {
        env: slackEnv(slack),
        plan: planPlatformTenant({ channels: [slackChannelOf({ workspace: 'T1', botToken })] }),
      });
      Object.assign(app, addressesOf(service));

      // A part is kept before the next one is posted; the only one is kept with the outcome.
      const question = at === 'before-delivery-part' ? `once ${'and again '.repeat(800).trim()}` : 'once';
      const saying = slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${botUserId}> ${question}` });
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      const { ts } = await saying;
      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent']);
      });
      const posts = slack.posts('T1', 'C1', ts).map(({ finalText }) => finalText);
      expect(posts.length > 1).toBe(at === 'before-delivery-part');
      expect(posts.join(' ')).toBe(`You said: ${question}`);
      expect(slack.violations).toEqual([]);
      expect(await service.stop()).toBe(0);
    });

  for (const at of ['before-delivery-part', 'mid-delivery'] as const)
    test(`${at}, with Twilio: answered once`, async (context) => {
      const { expect } = context;
      const twilio = await startTwilioSimulator();
      context.onTestFinished(() => twilio.close());
      twilio.addAccount(sharedAccount);
      const { service, diary } = await theProcess(context, at, {
        env: {
          TWILIO_ACCOUNT_SID: sharedAccount.accountSid,
          TWILIO_AUTH_TOKEN: sharedAccount.authToken,
          TWILIO_API_URL: twilio.url,
        },
        plan: planPlatformTenant({ channels: [twilioChannelOf({ number: ourNumber })] }),
      });
      const { accountSid } = sharedAccount;
      twilio.addNumber({ accountSid, number: ourNumber, kind: 'long_code', smsUrl: messagesUrl(service) });

      await twilio.text({ from: '+15550009', to: ourNumber, body: 'once' });
      await hasFallen(diary);
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(['sent', 'delivered']).toContain(deliveries[0]?.state);
      });
      expect(twilio.sent().map(({ body }) => body)).toEqual(['You said: once']);
      expect(await service.stop()).toBe(0);
    });

  test('in the first piece of a stream in Teams: the answer is there, and that a draft may be is counted', async (context) => {
    const { expect } = context;
    const teams = await startTeamsSimulator();
    context.onTestFinished(() => teams.close());
    const { service } = await theProcess(context, 'before-stream-part', {
      env: teamsEnv(teams),
      plan: planPlatformTenant({ channels: [teamsChannelOf({ aadTenant: contoso })] }),
      speakingMs: 3_000,
    });
    teams.addApp({ ...sharedBot, messagesUrl: messagesUrlOf(service) });

    const asked = { tenant: contoso, user: '29:ann', text: 'once' };
    const { conversation } = await teams.say(sharedBot.appId, asked);
    expect(await service.ended()).toBe('SIGKILL');
    await service.restart();
    expect(await answersIn(teams, conversation)).toEqual(['You said: once']);
    const drafts = teams.posts(conversation).filter(({ isStreaming }) => isStreaming);
    expect(drafts.map(({ text }) => text)).toEqual(['You said:']);
    await eventually(async () => {
      const { events, deliveries } = await service.rows();
      const doubled = events.filter(({ kind }) => kind === 'delivery.doubled');
      expect(doubled.map(({ subject }) => subject['deliveryId'])).toEqual([deliveries[0]?.id]);
    });
    expect(teams.violations).toEqual([]);
    expect(await service.stop()).toBe(0);
  });
});
