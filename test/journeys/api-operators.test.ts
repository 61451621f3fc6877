import { expect, test } from 'vitest';
import { anOperator, aPersonSignedIn } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }] });

test('an operator makes an organization and its tenant, and sees nothing of what is said there', async () => {
  const operator = await anOperator(service());
  const made = await operator.call('POST', '/organizations', {
    body: { slug: 'globex', name: 'Globex', plan: 'pro' },
  });
  expect(made).toMatchObject({ status: 201, body: { slug: 'globex', plan: 'pro', version: 1 } });
  expect(
    await operator.call('POST', '/organizations', { body: { slug: 'globex', name: 'Again' } }),
  ).toMatchObject({ status: 409 });
  const path = `/organizations/${made.body.id}`;
  expect(
    await operator.call('PATCH', path, { body: { plan: 'enterprise' }, headers: { 'if-match': '"1"' } }),
  ).toMatchObject({ status: 200, body: { plan: 'enterprise' } });
  expect(
    await operator.call('PATCH', path, { body: { plan: 'free' }, headers: { 'if-match': '"1"' } }),
  ).toMatchObject({ status: 412 });

  const tenant = { organizationId: made.body.id, slug: 'globex-support', name: 'Globex Support' };
  const { status, body } = await operator.call('POST', '/tenants', { body: tenant });
  expect([status, body]).toMatchObject([201, { ...tenant, status: 'active', region: 'local' }]);
  expect(
    await operator.call('POST', '/tenants', {
      body: { ...tenant, organizationId: `org_${'0'.repeat(32)}`, slug: 'x' },
    }),
  ).toMatchObject({ status: 409 });
  expect((await operator.call('GET', '/tenants?limit=1')).body.items).toMatchObject([
    { slug: 'globex-support' },
  ]);
  expect(await operator.call('GET', `/tenants/${body.id}`)).toMatchObject({ status: 200 });
  expect(await operator.call('GET', `/tenants/${body.id}/conversations`)).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/operator of the installation/) },
  });
  expect(await operator.call('GET', `/tenants/tnt_${'0'.repeat(32)}`)).toMatchObject({ status: 404 });
});

test('who is no operator makes nothing', async () => {
  const person = await aPersonSignedIn(service(), {
    email: 'person@example.com',
    tenant: 'shop',
    role: 'member',
  });
  const admin = await anApiCaller(service(), { role: 'owner' });
  const body = { slug: 'mine', name: 'Mine' };
  for (const call of [person.call, admin.call]) {
    expect(await call('POST', '/organizations', { body })).toMatchObject({ status: 403 });
    expect(await call('GET', '/tenants')).toMatchObject({ status: 403 });
  }
  const [event] = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql('SELECT action, outcome, actor_kind FROM swarmgate.audit_events ORDER BY id DESC LIMIT 1'),
  );
  expect(event).toEqual({ action: 'listTenants', outcome: 'refused', actor_kind: 'api_key' });
});

test('a tenant that is suspended keeps what comes in, and answers it when it goes on', async () => {
  const operator = await anOperator(service());
  const tenantId = await tenantIdOf(service(), 'shop');
  const visitor = await service().aVisitor();
  await visitor.answerTo(await visitor.send('Before'));
  expect(await operator.call('POST', `/tenants/${tenantId}/suspend`)).toMatchObject({
    status: 200,
    body: { status: 'suspended' },
  });

  // A moment later the web chat refuses too; what was taken until then waits.
  const kept: { id: string }[] = [];
  await eventually(async () => {
    const sent = await visitor.send('Meanwhile').catch(() => undefined);
    if (sent) kept.push(sent);
    expect(sent).toBeUndefined();
  });
  expect(kept.length).toBeGreaterThan(0);
  const owner = await anApiCaller(service(), { role: 'owner' });
  expect(await owner.own('POST', '/resume')).toMatchObject({ status: 403 });
  expect(await owner.own('GET', '/conversations')).toMatchObject({ status: 200 });
  expect(await owner.own('PATCH', '', { body: { name: 'Mine' } })).toMatchObject({
    status: 403,
    body: { code: 'tenant_suspended' },
  });

  expect(
    (await visitor.history().catch(() => [])).filter(({ role }) => role === 'agent').length,
  ).toBeLessThan(2);
  expect(await operator.call('POST', `/tenants/${tenantId}/resume`)).toMatchObject({
    status: 200,
    body: { status: 'active' },
  });
  await eventually(() => visitor.history());
  for (const sent of kept) expect(await visitor.answerTo(sent)).toMatchObject({ text: 'Meanwhile' });
});
