import { onTestFinished } from 'vitest';
import type { Env } from '#config/env.ts';
import type { ApplyPlan } from '#tenancy/apply/apply-plan.ts';
import {
  startTwilioSimulator,
  type TwilioSimulator,
  type TwilioSimulatorOptions,
} from '../../src/simulators/twilio/simulator.ts';
import { aService, type Service, type ServiceOptions } from './a-service.ts';
import { planPlatformTenant, twilioChannelOf } from './platform-tenants.ts';

export const sharedAccount = { accountSid: `AC${'1'.repeat(32)}`, authToken: 'the-shared-auth-token' };
export const ourNumber = '+15550001';

export type TwilioService = Service & { twilio: TwilioSimulator };

export type TwilioServiceOptions = Omit<ServiceOptions, 'plans' | 'tenants'> & {
  twilio?: TwilioSimulatorOptions;
  /** What is made once the service runs; one tenant with a number of the shared account when absent. */
  plans?: (twilio: TwilioSimulator, service: Service) => readonly ApplyPlan[];
};

/** The address that Twilio calls when somebody writes. */
export function messagesUrl({ url }: { url: string }, channelKey?: string): string {
  return `${url}/webhooks/twilio${channelKey === undefined ? '' : `/${channelKey}`}/messages`;
}

/** A service that is connected to a simulated Twilio. */
export async function aTwilioService(
  { twilio: twilioOptions, plans, ...options }: TwilioServiceOptions = {},
  atEnd: (end: () => Promise<void>) => void = onTestFinished,
): Promise<TwilioService> {
  const twilio = await startTwilioSimulator(twilioOptions);
  atEnd(() => twilio.close());
  const env: Env = {
    TWILIO_ACCOUNT_SID: sharedAccount.accountSid,
    TWILIO_AUTH_TOKEN: sharedAccount.authToken,
    TWILIO_API_URL: twilio.url,
  };
  const service = await aService({ ...options, env: { ...env, ...options.env }, plans: [] }, atEnd);
  twilio.addAccount(sharedAccount);
  for (const plan of plans?.(twilio, service) ?? [planShop(twilio, service)])
    await service.app.apply(plan, { dryRun: false });
  return { ...service, twilio };
}

function planShop(twilio: TwilioSimulator, service: Service): ApplyPlan {
  const { accountSid } = sharedAccount;
  twilio.addNumber({ accountSid, number: ourNumber, kind: 'long_code', smsUrl: messagesUrl(service) });
  return planPlatformTenant({ channels: [twilioChannelOf({ number: ourNumber })] });
}
