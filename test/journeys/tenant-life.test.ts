import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { operateTenants } from '../../src/cli/tenants.ts';
import { anOperator, anOwner, aPersonSignedIn, type Browser } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { planTenant } from '../support/a-tenant.ts';
import { anApiCaller, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';

const service = sharedService({ tenants: ['shop', 'short', 'org-one', 'org-two'].map(ofOrganization) });

function ofOrganization(slug: string) {
  return { slug, organization: slug.startsWith('org-') ? 'globex' : 'acme' };
}

const days = (date: string) => Math.round((Date.parse(date) - Date.now()) / 86_400_000);

test('a tenant that was closed keeps what comes in, shows itself, and is as it was when it is reopened', async () => {
  const owner = await anOwner(service(), 'shop');
  const key = await anApiCaller(service(), { role: 'owner' });
  const path = `/tenants/${key.tenantId}`;
  const visitor = await service().aVisitor();
  await visitor.answerTo(await visitor.send('Before'));
  const before = await stateOf('shop');

  const closed = await owner.call('POST', `${path}/close`);
  expect(closed).toMatchObject({ status: 200, body: { status: 'closing', closing: { by: 'tenant' } } });
  expect(days(closed.body.closing.deleteAfter)).toBe(30);
  // Again changes nothing, also not when it goes.
  expect((await owner.call('POST', `${path}/close`)).body).toEqual(closed.body);
  const kept: { id: string }[] = [];
  await eventually(async () => {
    const sent = await visitor.send('Meanwhile').catch(() => undefined);
    if (sent) kept.push(sent);
    expect(sent).toBeUndefined();
  });
  expect(await key.own('GET', '/conversations')).toMatchObject({ status: 200 });
  expect(await key.own('PATCH', '', { body: { name: 'Mine' } })).toMatchObject({
    status: 403,
    body: { code: 'tenant_closing' },
  });
  await expect(service().app.apply(planTenant({ slug: 'shop' }), { dryRun: false })).rejects.toThrow(
    'The tenant "shop" is closing',
  );

  expect(await owner.call('POST', `${path}/reopen`)).toMatchObject({
    status: 200,
    body: { status: 'active', closing: null },
  });
  await eventually(() => visitor.history());
  for (const sent of kept) expect(await visitor.answerTo(sent)).toMatchObject({ text: 'Meanwhile' });
  expect(await stateOf('shop')).toEqual(before);
  expect(await owner.call('POST', `${path}/reopen`)).toMatchObject({
    status: 409,
    body: { code: 'tenant_not_closing' },
  });
  expect(await toldIn('shop')).toEqual(['closeTenant', 'reopenTenant']);
  expect((await toldInstallation()).filter((action) => /Tenant$/.test(action))).toEqual([
    'closeTenant',
    'reopenTenant',
  ]);
});

/** What must be the same after all: secrets, keys, members, channels. */
const stateOf = (slug: string) =>
  inTenantOf(service(), slug, async (unit) => [
    await unit.sql('SELECT id, key, status, settings, sealed, version FROM swarmgate.channels ORDER BY id'),
    await unit.sql('SELECT user_id, builtin_role FROM identity.memberships ORDER BY user_id'),
    await unit.sql('SELECT id, revoked_at, expires_at FROM swarmgate.api_keys ORDER BY id'),
    await unit.sql('SELECT kind, app, key, channel_id FROM directory.external_keys ORDER BY key'),
  ]);

const toldIn = (slug: string) =>
  inTenantOf(service(), slug, async (unit) => {
    const rows = await unit.sql<{ action: string }>(
      `SELECT action FROM swarmgate.audit_events WHERE action IN ('closeTenant', 'reopenTenant') AND outcome = 'allowed' ORDER BY id`,
    );
    return rows.map(({ action }) => action);
  });

const toldInstallation = async () => {
  const rows = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql<{ action: string }>('SELECT action FROM swarmgate.audit_events ORDER BY id'),
  );
  return rows.map(({ action }) => action);
};

test('it is closed by a person who has just shown that they are there, and whom it is given to', async () => {
  const tenantId = await tenantIdOf(service(), 'shop');
  const path = `/tenants/${tenantId}/close`;
  const key = await anApiCaller(service(), { role: 'owner' });
  expect(await key.call('POST', path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  const admin = await anOwner(service(), 'shop', 'admin');
  expect(await admin.call('POST', path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  const owner = await anOwner(service(), 'shop');
  await longAgo(owner);
  expect(await owner.call('POST', path)).toMatchObject({ status: 403, body: { code: 'step_up_needed' } });
  const without = await aPersonSignedIn(service(), {
    email: `${randomUUID()}@example.com`,
    tenant: 'shop',
    role: 'owner',
  });
  expect(await without.call('POST', path)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  expect(await owner.call('GET', `/tenants/${tenantId}`)).toMatchObject({ body: { status: 'active' } });
});

/** Their second factor was shown an hour ago. */
async function longAgo(browser: Browser): Promise<void> {
  const { body } = await browser.call('GET', '/me');
  await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql(
      `UPDATE identity.web_sessions s SET mfa_at = now() - interval '1 hour'
         FROM identity.users u WHERE u.id = s.user_id AND u.email = $1`,
      [body.email],
    ),
  );
}

test('what an operator has closed its owner does not reopen; then it goes, with a stone on its slug', async () => {
  const { storage } = service().app;
  const operate = (act: 'close' | 'reopen' | 'show', graceMs = 86_400_000) =>
    operateTenants(storage, { act, tenant: 'short' }, { graceMs });
  const owner = await anOwner(service(), 'short');
  const key = await anApiCaller(service(), { tenant: 'short', role: 'owner' });
  const visitor = await service().aVisitor({ key: 'wk_short' });
  await visitor.answerTo(await visitor.send('Hello'));

  expect(await operate('close')).toMatchObject([{ status: 'closing', closedBy: 'operator' }]);
  expect(await owner.call('POST', `/tenants/${key.tenantId}/reopen`)).toMatchObject({
    status: 409,
    body: { code: 'closed_by_operator' },
  });
  expect(await operate('reopen')).toMatchObject([{ status: 'active' }]);

  await operate('close', 0);
  await eventually(async () => await expect(operate('show')).rejects.toThrow('"short" was deleted'));
  await eventually(() => expect(service().aVisitor({ key: 'wk_short' })).rejects.toThrow('unknown_key'));
  expect(await key.own('GET', '')).toMatchObject({ status: 401 });
  expect(await owner.call('GET', `/tenants/${key.tenantId}`)).toMatchObject({ status: 404 });
  expect(await operateTenants(storage, { act: 'list', deleted: true }, { graceMs: 0 })).toMatchObject([
    { id: key.tenantId, slug: 'short', status: 'deleted' },
  ]);
  await expect(service().app.apply(planTenant({ slug: 'short' }), { dryRun: false })).rejects.toThrow(
    '"short" was deleted here before',
  );
  const operator = await anOperator(service());
  const { items } = (await operator.call('GET', '/tombstones')).body;
  expect(items).toMatchObject([{ id: key.tenantId, kind: 'tenant', slug: 'short' }]);
  const body = { organizationId: items[0].organizationId, slug: 'short', name: 'Short' };
  expect(await operator.call('POST', '/tenants', { body })).toMatchObject({
    status: 409,
    body: { code: 'slug_buried' },
  });
  expect(await operator.call('GET', `/tenants/${key.tenantId}`)).toMatchObject({ status: 404 });
  // What its key was for is free.
  const again = planTenant({ slug: 'shop' });
  for (const channel of again.organizations[0]?.tenants[0]?.channels ?? []) channel.key = 'wk_short';
  await expect(service().app.apply(again, { dryRun: false })).resolves.toBeDefined();
});

test('an organization closes with its tenants, comes back with them, and goes behind the last', async () => {
  const operator = await anOperator(service());
  const { items } = (await operator.call('GET', '/organizations')).body;
  const { id } = items.find(({ slug }: { slug: string }) => slug === 'globex');
  const first = await tenantIdOf(service(), 'org-one');
  await operator.call('POST', `/tenants/${first}/suspend`);

  expect(await operator.call('POST', `/organizations/${id}/close`)).toMatchObject({
    status: 200,
    body: { status: 'closing', deleteAfter: expect.any(String) },
  });
  const statuses = async () =>
    (await operateTenants(service().app.storage, { act: 'list', deleted: false }, { graceMs: 0 }))
      .filter(({ organization }) => organization === 'globex')
      .map(({ status }) => status);
  expect(await statuses()).toEqual(['closing', 'closing']);
  expect(
    await operator.call('POST', '/tenants', { body: { organizationId: id, slug: 'third', name: 'Third' } }),
  ).toMatchObject({ status: 409, body: { code: 'organization_closing' } });
  expect(await operator.call('POST', `/tenants/${first}/reopen`)).toMatchObject({
    status: 409,
    body: { code: 'organization_closing' },
  });
  expect(await operator.call('POST', `/organizations/${id}/reopen`)).toMatchObject({
    body: { status: 'active', deleteAfter: null },
  });
  expect(await statuses()).toEqual(['suspended', 'active']);

  await operator.call('POST', `/organizations/${id}/close`);
  await service().app.storage.scopes.inPlatform(async (unit) => {
    for (const table of ['tenants', 'organizations'])
      await unit.sql(
        `UPDATE directory.${table} SET delete_after = now() WHERE status = 'closing' AND slug IN ('globex', 'org-one', 'org-two')`,
      );
  });
  await eventually(async () => {
    const stones = (await operator.call('GET', '/tombstones')).body.items;
    expect(stones.map(({ slug }: { slug: string }) => slug)).toEqual(
      expect.arrayContaining(['globex', 'org-one', 'org-two']),
    );
  });
  expect(
    await operator.call('POST', '/organizations', { body: { slug: 'globex', name: 'Globex' } }),
  ).toMatchObject({ status: 409, body: { code: 'slug_buried' } });
});
