import { expect, test } from 'vitest';
import { describeTwilioChannel, twilioChannel } from './twilio.ts';

const channel = (more: object) => twilioChannel.safeParse({ slug: 'sms', platform: 'twilio', ...more });
const complaints = (more: object) =>
  channel(more).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

test('claims its number and its messaging service, as its account has them', () => {
  const { data } = channel({
    accountSid: 'AC1',
    authToken: 't',
    number: '+15550001',
    messagingService: 'MG1',
  });
  expect(data && describeTwilioChannel(data).claims).toEqual([
    { kind: 'number', app: 'AC1', key: '+15550001' },
    { kind: 'messaging_service', app: 'AC1', key: 'MG1' },
  ]);
});

test.each([
  [{}, 'number: a number or a messagingService'],
  [{ number: 15550001 }, 'number: a text: put the number in quotes'],
  [{ number: '5550001x' }, 'number: a number such as'],
  [{ number: '+15550001', accountSid: 'AC1' }, 'accountSid: accountSid and authToken go together'],
  [{ number: '+15550001', quietHours: { from: '9', to: '10:00' } }, 'quietHours.from: a time of day'],
  [
    { number: '+15550001', quietHours: { from: '09:00', to: '10:00', timeZone: 'Mars/Base' } },
    'quietHours.timeZone: a time zone',
  ],
])('what cannot be is told: %j', (given, complaint) => {
  expect(complaints(given)?.[0]).toContain(complaint);
});

test('the auth token is no setting', () => {
  const { data } = channel({ accountSid: 'AC1', authToken: 'hidden', number: 'whatsapp:+15550001' });
  const described = data && describeTwilioChannel(data);
  expect(described?.secrets).toEqual({ authToken: 'hidden' });
  expect(JSON.stringify(described?.settings)).not.toContain('hidden');
});
