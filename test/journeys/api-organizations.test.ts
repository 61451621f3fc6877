import { expect, test } from 'vitest';
import {
  aBrowser,
  addApp,
  anOperator,
  anOrganizer,
  aPersonSignedIn,
  organizationIdOf,
  somePassword,
} from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'elsewhere', organization: 'globex' }],
  env: { TRUSTED_PROXIES: '127.0.0.1' },
});

test('an owner looks after their organization, asks somebody to help, and no more than they may', async () => {
  const organizationId = await organizationIdOf(service(), 'acme');
  const path = `/organizations/${organizationId}`;
  const owner = await aPersonSignedIn(service(), { email: 'owner@example.com' });
  const operator = await anOperator(service());
  expect(
    await operator.call('POST', `${path}/members`, { body: { email: 'nobody@example.com', role: 'owner' } }),
  ).toMatchObject({ status: 409, body: { code: 'unknown_user' } });
  expect(
    await operator.call('POST', `${path}/members`, { body: { email: 'owner@example.com', role: 'owner' } }),
  ).toMatchObject({ status: 201 });
  expect(await owner.call('GET', path)).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/until a second factor is shown/) },
  });
  await addApp(owner);

  const seen = await eventually(async () => {
    const answer = await owner.call('GET', path);
    expect(answer).toMatchObject({ status: 200, body: { slug: 'acme', plan: 'free' } });
    return answer;
  });
  const headers = { 'if-match': seen.headers.get('etag') ?? '' };
  expect(await owner.call('PATCH', path, { body: { name: 'Acme & Co' }, headers })).toMatchObject({
    status: 200,
    body: { name: 'Acme & Co' },
  });
  expect(await owner.call('PATCH', path, { body: { name: 'Again' }, headers })).toMatchObject({
    status: 412,
  });
  expect(await owner.call('PATCH', path, { body: { plan: 'pro' } })).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/organization:admin is needed/) },
  });
  const tenants = await owner.call('GET', `${path}/tenants`);
  expect(tenants.body.items).toMatchObject([{ slug: 'shop', organizationId }]);
  expect(tenants.body.items[0]).not.toHaveProperty('settings');
  const foreign = `/organizations/${await organizationIdOf(service(), 'globex')}`;
  expect(await owner.call('GET', foreign)).toMatchObject({ status: 404 });

  const invited = await owner.call('POST', `${path}/invitations`, {
    body: { email: 'bob@example.com', role: 'admin' },
  });
  expect(invited.status).toBe(201);
  const account = { name: 'Bob', password: somePassword };
  const joined = await callerOf(service())('POST', '/invitations/accept', {
    body: { token: invited.body.token, account },
  });
  expect(joined).toMatchObject({ status: 200, body: { organizationId } });
  const bob = aBrowser(service());
  expect(
    (await bob.call('POST', '/sign-in', { body: { email: 'bob@example.com', password: somePassword } })).body,
  ).toMatchObject({ mustAddSecondFactor: true });
  await addApp(bob);
  expect((await bob.call('GET', '/me')).body).toMatchObject({
    organizations: [{ id: organizationId, slug: 'acme', role: 'admin' }],
    tenants: [{ slug: 'shop', role: 'admin' }],
  });
  expect(await bob.call('GET', `/tenants/${await tenantIdOf(service(), 'shop')}`)).toMatchObject({
    status: 200,
  });

  const members = async () => (await bob.call('GET', `${path}/members`)).body.items;
  const [first, second] = await members();
  expect([first, second]).toMatchObject([
    { email: 'bob@example.com', role: 'admin' },
    { email: 'owner@example.com', role: 'owner' },
  ]);
  const give = (browser: typeof bob, userId: string, role: string) =>
    browser.call('PATCH', `${path}/members/${userId}`, { body: { role } });
  expect(await give(bob, second.userId, 'viewer')).toMatchObject({ status: 403 });
  expect(await give(bob, first.userId, 'owner')).toMatchObject({ status: 403 });
  expect(await give(owner, second.userId, 'viewer')).toMatchObject({
    status: 409,
    body: { code: 'last_owner' },
  });
  expect(await give(owner, first.userId, 'viewer')).toMatchObject({ status: 204 });
  await eventually(async () => {
    expect(await bob.call('GET', `${path}/members`)).toMatchObject({ status: 403 });
    expect(await bob.call('GET', path)).toMatchObject({ status: 200 });
  });
  expect(await bob.call('DELETE', `${path}/membership`)).toMatchObject({ status: 204 });
  await eventually(async () => expect(await bob.call('GET', path)).toMatchObject({ status: 404 }));
});

test('whom an organization is billed to is said by an operator, read by who pays, and stands in no log', async () => {
  const path = `/organizations/${await organizationIdOf(service(), 'globex')}/billing`;
  const operator = await anOperator(service());
  const billing = await anOrganizer(service(), { organization: 'globex', role: 'billing' });
  const viewer = await anOrganizer(service(), { organization: 'globex', role: 'viewer' });
  const details = { email: 'accounts@globex.example', address: '742 Evergreen Terrace' };
  expect(await billing.call('GET', path)).toMatchObject({ status: 200, body: { email: '', address: '' } });
  expect(await billing.call('PUT', path, { body: details })).toMatchObject({ status: 403 });
  expect(await operator.call('PUT', path, { body: details })).toMatchObject({ status: 200, body: details });
  expect(await operator.call('PUT', path, { body: details, headers: { 'if-match': '"0"' } })).toMatchObject({
    status: 412,
  });
  expect(await billing.call('GET', path)).toMatchObject({ status: 200, body: details });
  expect(await viewer.call('GET', path)).toMatchObject({ status: 403 });
  const kept = await service().app.storage.scopes.inPlatform((unit) =>
    unit.sql('SELECT * FROM directory.billing_details'),
  );
  const told = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql('SELECT * FROM swarmgate.audit_events'),
  );
  expect(JSON.stringify([kept, told, service().logLines])).not.toMatch(/accounts@|Evergreen/);
});

test('an organization asks everybody in it for a second factor, within a second or so', async () => {
  const path = `/organizations/${await organizationIdOf(service(), 'globex')}`;
  const tenantPath = `/tenants/${await tenantIdOf(service(), 'elsewhere')}`;
  const owner = await anOrganizer(service(), { organization: 'globex', role: 'owner' });
  const email = 'member@example.com';
  const member = await aPersonSignedIn(service(), { email, tenant: 'elsewhere', role: 'viewer' });
  expect(await member.call('GET', `${tenantPath}/channels`)).toMatchObject({ status: 200 });
  const ask = (requiresSecondFactor: boolean) =>
    owner.call('PATCH', path, { body: { requiresSecondFactor } });
  expect(await ask(true)).toMatchObject({ status: 200, body: { requiresSecondFactor: true } });
  await eventually(async () =>
    expect(await member.call('GET', `${tenantPath}/channels`)).toMatchObject({
      status: 403,
      body: {
        detail: expect.stringMatching(/second factor is shown, which the organization asks of everybody/),
      },
    }),
  );
  const again = aBrowser(service());
  expect(
    (await again.call('POST', '/sign-in', { body: { email, password: somePassword } })).body,
  ).toMatchObject({ mustAddSecondFactor: true });
  await addApp(member);
  await eventually(async () =>
    expect(await member.call('GET', `${tenantPath}/channels`)).toMatchObject({ status: 200 }),
  );
  expect(await ask(false)).toMatchObject({ status: 200 });
});
