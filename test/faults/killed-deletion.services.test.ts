import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '#config/config.ts';
import { createLogger } from '#kernel/logger.ts';
import { operateTenants } from '../../src/cli/tenants.ts';
import { openStorage } from '../../src/storage.ts';
import { aDiary, aServiceProcess } from '../support/a-service-process.ts';
import { planTenant, shopOrigin } from '../support/a-tenant.ts';
import { aVisitor } from '../support/a-visitor.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';

test('kill -9 while a tenant is deleted: it is not there any more, and the next start ends it', async () => {
  const installation = await anInstallation();
  onTestFinished(installation.remove);
  const diary = await aDiary(onTestFinished);
  const fall = { at: 'mid-tenant-deletion', signal: 'SIGKILL' } as const;
  const plan = planTenant();
  const service = await aServiceProcess({ installation, diary, fall, plan }, onTestFinished);
  const storage = await openStorage(readConfig(installation.env), createLogger('silent'));
  onTestFinished(storage.close);
  const visitor = await aVisitor(service, { key: 'wk_shop', origin: shopOrigin });
  await visitor.answerTo(await visitor.send('Hello'));
  const operate = (act: 'show' | 'close') => operateTenants(storage, { act, tenant: 'shop' }, { graceMs: 0 });

  await operate('close');
  expect(await service.ended()).toBe('SIGKILL');

  await expect(operate('show')).rejects.toThrow('is being deleted');
  await service.restart();
  await eventually(() => expect(operate('show')).rejects.toThrow('"shop" was deleted'));
  const begin = () => aVisitor(service, { key: 'wk_shop', origin: shopOrigin });
  await eventually(() => expect(begin()).rejects.toThrow('unknown_key'));
  expect(await service.stop()).toBe(0);
});
