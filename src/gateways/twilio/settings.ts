import type {
  OptOutSettings,
  QuietHours,
  TwilioChannelSettings,
} from '@swarmgate/contract/channels/twilio.ts';
import type { Settings } from '@swarmgate/contract/settings.ts';
import type { Channel, OpenChannel } from '../gateway.ts';
import { GatewayError } from '../gateway-error.ts';

/** What the API is called with. */
export type TwilioAccount = {
  accountSid: string;
  authToken: string;
  /** Where the API is, without a path. */
  apiUrl: string;
};

export type SharedAccount = { accountSid: string; authToken: string };

export const twilioApiUrl = 'https://api.twilio.com';

export function settingsOf(channel: Channel): TwilioChannelSettings {
  return channel.settings as TwilioChannelSettings;
}

/**
 * The account that a channel sends by: its own, or the shared one. The shared account's token goes to the operator's
 * address only, whatever a channel says. @throws {GatewayError} when there is none
 */
export function accountOf(
  channel: Channel,
  shared: SharedAccount | undefined,
  apiUrl: string = twilioApiUrl,
): TwilioAccount {
  const { accountSid, apiUrl: ownApiUrl } = settingsOf(channel);
  const authToken = channel.secrets['authToken'];
  if (accountSid !== undefined && authToken) return { accountSid, authToken, apiUrl: ownApiUrl ?? apiUrl };
  if (accountSid === undefined && shared) return { ...shared, apiUrl };
  throw new GatewayError(
    'credentials_refused',
    accountSid === undefined
      ? 'The Twilio channel has no account of its own, and there is no shared one: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.'
      : 'The Twilio channel has no authToken for its account.',
  );
}

/** Who the carriers and Twilio count an opt-out against: the messaging service as a whole, or one number of ours. */
export function senderOf(channel: Channel, ours: string): string {
  return settingsOf(channel).messagingService ?? ours;
}

/** Each setting of the channel, else of its tenant, else of its organization. */
export function optOutOf(channel: OpenChannel): OptOutSettings {
  const [own, tenant, organization] = levelsOf(channel);
  return { ...organization?.optOut, ...tenant?.optOut, ...own.optOut };
}

/** Those of the channel, else of its tenant, else of its organization; as a whole, since half of them means nothing. */
export function quietHoursOf(channel: OpenChannel): QuietHours | undefined {
  return levelsOf(channel).find((level) => level?.quietHours)?.quietHours;
}

type Level = Settings['twilio'];

function levelsOf(channel: OpenChannel): [NonNullable<Level>, Level, Level] {
  const { optOut, quietHours } = settingsOf(channel);
  return [
    { ...(optOut && { optOut }), ...(quietHours && { quietHours }) },
    channel.tenantSettings['twilio'] as Level,
    channel.organizationSettings['twilio'] as Level,
  ];
}
