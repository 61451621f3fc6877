import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { aDiary, aServiceProcess, hasFallen } from '../support/a-service-process.ts';
import { planTenant } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { aWebhookReceiver } from '../support/a-webhook-receiver.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

test('kill -9 while nobody has recorded what a receiver has taken: it is sent again, as the same', async () => {
  const receiver = await aWebhookReceiver();
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  receiver.secrets.push(secret);
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const plan = planTenant();
  const tenant = plan.organizations[0]?.tenants[0];
  if (!tenant) throw new Error('The plan has no tenant.');
  tenant.webhooks = [
    { url: receiver.url, eventTypes: ['message.received'], description: '', includeText: false, secret },
  ];
  const diary = await aDiary(onTestFinished);
  const service = await aServiceProcess(
    {
      ...{ installation, diary, plan, fall: { at: 'mid-webhook', signal: 'SIGKILL' } },
      env: { PRIVATE_HOSTS: receiver.host },
    },
    onTestFinished,
  );
  const visitor = await aVisitor(service, { key: 'wk_shop', origin: 'https://shop.example' });
  const { id } = await visitor.send('once');
  await hasFallen(diary);
  visitor.leave();
  expect(await service.ended()).toBe('SIGKILL');
  expect(receiver.received).toHaveLength(1);

  await service.restart();
  await eventually(() => expect(receiver.received).toHaveLength(2));
  const [first, second] = receiver.received;
  expect(second?.id).toBe(first?.id);
  expect(second?.payload).toEqual(first?.payload);
  expect(first?.payload.data['messageId']).toBe(id);
  // That it may have come twice is counted.
  await eventually(async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('swarmgate_webhook_attempts_total{outcome="interrupted"} 1');
    expect(metrics).toContain('swarmgate_webhook_attempts_total{outcome="delivered"} 1');
  });
  expect(service.output()).not.toContain(secret);
  expect(receiver.violations).toEqual([]);
  expect(await service.stop()).toBe(0);
});
