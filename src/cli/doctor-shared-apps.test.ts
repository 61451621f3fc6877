import { expect, test } from 'vitest';
import { readConfig } from '#config/config.ts';
import { examineSharedApps } from './doctor-shared-apps.ts';

const channels = [
  { tenant: 'shop', slug: 'hq', platform: 'slack' },
  { tenant: 'shop', slug: 'sms', platform: 'twilio' },
];

test('a channel on a shared app that is not set is named, with the variables to set', () => {
  const { platforms } = readConfig({ SLACK_APP_ID: 'A1', SLACK_SIGNING_SECRET: 's' });
  expect(examineSharedApps(channels, platforms)).toEqual({
    state: 'warning',
    says: 'channels on a shared app that is not set here: shop/sms (twilio)',
    mend: expect.stringContaining('TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN'),
  });
});

test('all is well when each shared app that a channel is on is set', () => {
  const { platforms } = readConfig({ SLACK_APP_ID: 'A1', SLACK_SIGNING_SECRET: 's' });
  expect(examineSharedApps(channels.slice(0, 1), platforms).state).toBe('ok');
});
