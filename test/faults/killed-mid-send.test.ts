import { describe, type TestContext, test } from 'vitest';
import { startSlackSimulator } from '../../src/simulators/slack/simulator.ts';
import { startTwilioSimulator } from '../../src/simulators/twilio/simulator.ts';
import { aDiary, aServiceProcess, hasFallen } from '../support/a-service-process.ts';
import { addressesOf, sharedApp, slackEnv } from '../support/a-slack-service.ts';
import { messagesUrl, ourNumber, sharedAccount } from '../support/a-twilio-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import type { FallPoint } from '../support/fall-points.ts';
import { planPlatformTenant, slackChannelOf, twilioChannelOf } from '../support/platform-tenants.ts';

/** The platform has the answer, nobody has recorded it, and the process is gone. */

async function theProcess(
  { onTestFinished }: TestContext,
  at: FallPoint,
  options: Pick<Parameters<typeof aServiceProcess>[0], 'env' | 'plan'>,
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

      const saying = slack.say('T1', { user: 'U1', channel: 'C1', text: `<@${botUserId}> once` });
      expect(await service.ended()).toBe('SIGKILL');
      await service.restart();
      const { ts } = await saying;
      await eventually(async () => {
        const { deliveries } = await service.rows();
        expect(deliveries.map(({ state }) => state)).toEqual(['sent']);
      });
      expect(slack.posts('T1', 'C1', ts).map(({ finalText }) => finalText)).toEqual(['You said: once']);
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
});
