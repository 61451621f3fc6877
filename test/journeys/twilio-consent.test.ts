import { describe, expect, test } from 'vitest';
import { examineChannels } from '../../src/cli/doctor-channels.ts';
import { aTwilioService, ourNumber, sharedAccount, type TwilioService } from '../support/a-twilio-service.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf, placeOf } from '../support/place-of.ts';
import { planPlatformTenant, twilioChannelOf } from '../support/platform-tenants.ts';

const ann = '+15550009';
const bob = '+15550008';

/** Says something to somebody who has not asked. */
async function say(service: TwilioService, to: string, text: string): Promise<void> {
  await service.app.sendMessage(await placeOf(service, 'sms'), {
    key: text,
    conversationExternalId: `${ourNumber}/${to}`,
    participantExternalId: to,
    role: 'operator',
    text,
  });
}

const ledger = (service: TwilioService) =>
  inTenantOf(service, 'shop', (unit) =>
    unit.sql('SELECT sender, recipient, state, source FROM swarmgate.consent_entries ORDER BY created_at'),
  );

const bodiesTo = (service: TwilioService, to: string) => service.twilio.sent({ to }).map(({ body }) => body);

describe('somebody who writes STOP', () => {
  test('gets nothing any more, and what was refused is recorded', async () => {
    const service = await aTwilioService();
    await service.twilio.text({ from: ann, to: ourNumber, body: ' Stop. ' });
    await say(service, ann, 'A special offer!');
    await eventually(async () => {
      const { deliveries } = await service.rows();
      expect(deliveries.map(({ state, error_code: code }) => [state, code])).toEqual([
        ['failed', 'gateway_recipient_opted_out'],
      ]);
    });
    expect(bodiesTo(service, ann)).toEqual([]);
    expect(service.twilio.calls).toEqual([]);
    expect(await ledger(service)).toEqual([
      { sender: ourNumber, recipient: ann, state: 'opted_out', source: 'Stop.' },
    ]);
    const { turns } = await service.rows();
    expect(turns).toEqual([]);
  });

  test('gets messages again after START', async () => {
    const service = await aTwilioService();
    for (const body of ['STOP', 'START']) await service.twilio.text({ from: ann, to: ourNumber, body });
    await say(service, ann, 'Welcome back');
    await eventually(() => expect(bodiesTo(service, ann)).toEqual(['Welcome back']));
  });

  test('does not speak for anybody else', async () => {
    const service = await aTwilioService();
    await service.twilio.text({ from: ann, to: ourNumber, body: 'STOP' });
    await say(service, bob, 'Hello Bob');
    await eventually(() => expect(bodiesTo(service, bob)).toEqual(['Hello Bob']));
  });
});

test('what Twilio refuses because of an opt-out that we did not hear of is learned', async () => {
  const service = await aTwilioService();
  service.twilio.fail({ kind: 'error', status: 400, code: 21_610 });
  await say(service, ann, 'Hello');
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries[0]).toMatchObject({ state: 'failed' });
  });
  expect(await ledger(service)).toEqual([
    { sender: ourNumber, recipient: ann, state: 'opted_out', source: '21610' },
  ]);
  // They do not want it: nobody has to mend anything.
  expect(await examineChannels(service.config, service.app.storage)).toContainEqual({
    check: 'deliveries',
    state: 'ok',
    says: 'in the last 7 days 0 given up, 0 perhaps shown twice after a crash',
  });
  expect(service.logLines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a message that was sent under one key goes out once', async () => {
  const service = await aTwilioService();
  for (let times = 0; times < 3; times += 1) await say(service, ann, 'Only once');
  await eventually(() => expect(bodiesTo(service, ann)).toEqual(['Only once']));
  const { deliveries } = await service.rows();
  expect(deliveries).toHaveLength(1);
});

// What waits on a paused channel is looked at every quarter of a minute.
test('what is said to a paused channel is kept, and STOP counts at once', { timeout: 120_000 }, async () => {
  const service = await aTwilioService();
  const { tenantId, channelId } = await placeOf(service, 'sms');
  const setStatus = (status: string) =>
    service.app.storage.scopes.inTenant(tenantId, (unit) =>
      unit.sql(`UPDATE swarmgate.channels SET status = $2, version = version + 1 WHERE id = $1`, [
        channelId,
        status,
      ]),
    );
  await setStatus('paused');
  await service.twilio.text({ from: ann, to: ourNumber, body: 'STOP' });
  await service.twilio.text({ from: bob, to: ourNumber, body: 'Hello?' });
  expect(await ledger(service)).toHaveLength(1);
  await setStatus('active');
  await say(service, ann, 'An offer');
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries.map(({ error_code: code }) => code)).toContain('gateway_recipient_opted_out');
  }, 50_000);
  await eventually(() => expect(bodiesTo(service, bob)).toEqual(['Hello?']), 50_000);
  expect(bodiesTo(service, ann)).toEqual([]);
});

test('an opt-out holds although the number joins a messaging service', async () => {
  const service = await aTwilioService();
  await service.twilio.text({ from: ann, to: ourNumber, body: 'STOP' });
  const { accountSid } = sharedAccount;
  service.twilio.addMessagingService({ accountSid, sid: 'MG1', numbers: [ourNumber] });
  const plan = planPlatformTenant({
    channels: [twilioChannelOf({ number: ourNumber, messagingService: 'MG1' })],
  });
  await service.app.apply(plan, { dryRun: false });
  await say(service, ann, 'By the service');
  await eventually(async () => {
    const { deliveries } = await service.rows();
    expect(deliveries).toMatchObject([{ state: 'failed', error_code: 'gateway_recipient_opted_out' }]);
  });
});
