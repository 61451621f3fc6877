import { expect, test } from 'vitest';
import {
  aTwilioService,
  messagesUrl,
  sharedAccount,
  type TwilioService,
} from '../support/a-twilio-service.ts';
import { eventually } from '../support/eventually.ts';
import { placeOf } from '../support/place-of.ts';
import { planPlatformTenant, twilioChannelOf } from '../support/platform-tenants.ts';

const ours = 'whatsapp:+15550001';
const ann = 'whatsapp:+15550009';

const aWhatsAppChannel = (more: object = {}) =>
  aTwilioService({
    plans: (twilio, service) => {
      const { accountSid } = sharedAccount;
      twilio.addNumber({ accountSid, number: ours, kind: 'whatsapp', smsUrl: messagesUrl(service) });
      return [planPlatformTenant({ channels: [twilioChannelOf({ number: ours, ...more })] })];
    },
  });

async function sayUnasked(service: TwilioService, text: string): Promise<void> {
  const at = await placeOf(service, 'sms');
  await service.app.sendMessage(at, {
    ...{ key: text, conversationExternalId: `${ours}/${ann}`, participantExternalId: ann },
    ...{ role: 'operator', text },
  });
}

test('a question is answered', async () => {
  const service = await aWhatsAppChannel();
  await service.twilio.text({ from: ann, to: ours, body: 'Hi', profileName: 'Ann' });
  await eventually(() => expect(service.twilio.sent({ to: ann }).map(({ body }) => body)).toEqual(['Hi']));
  expect(service.twilio.violations).toEqual([]);
});

test('somebody who has not written for 24 hours is not written to, and the refusal says why', async () => {
  const service = await aWhatsAppChannel();
  await sayUnasked(service, 'Out of the blue');
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries).toMatchObject([{ state: 'failed', error_code: 'gateway_outside_window' }]);
  });
  expect(service.twilio.calls).toEqual([]);
});

test('or gets a template, if the channel has one', async () => {
  const service = await aWhatsAppChannel({ template: { contentSid: 'HX1' } });
  await sayUnasked(service, 'Your parcel\nhas arrived');
  await eventually(() => expect(service.twilio.sent({ to: ann })).toHaveLength(1));
  const [sent] = service.twilio.sent({ to: ann });
  expect(sent).toMatchObject({ contentSid: 'HX1' });
  expect(JSON.stringify(sent?.contentVariables)).toContain('Your parcel');
});

test('STOP is confirmed by us, because nobody else does it there, and then there is silence', async () => {
  const service = await aWhatsAppChannel({ optOut: { stopText: 'You will hear no more of us.' } });
  await service.twilio.text({ from: ann, to: ours, body: 'STOP' });
  await eventually(() =>
    expect(service.twilio.sent({ to: ann }).map(({ body }) => body)).toEqual([
      'You will hear no more of us.',
    ]),
  );
  await sayUnasked(service, 'One more thing');
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries.at(-1)).toMatchObject({ state: 'failed', error_code: 'gateway_recipient_opted_out' });
  });
});
