import { expect, test } from 'vitest';
import { anOperator, aPersonSignedIn } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller } from '../support/an-api-caller.ts';
import { askHost } from '../support/ask-host.ts';
import { eventually } from '../support/eventually.ts';

const records = new Map<string, string[]>();
const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'bank' }],
  env: { TENANT_BASE_DOMAIN: 'chat.gateway.example' },
  overrides: { resolveTxt: async (name) => records.get(name) ?? [] },
});

const host = 'chat.customer.example';
const session = (at: string, { origin = `http://${at}`, ...body }: { origin?: string; key?: string } = {}) =>
  askHost(service(), at, 'POST', '/chat/v1/sessions', { body, headers: { origin } });

test('a domain leads to the tenant that shows it is theirs, until they let go of it', async () => {
  const owner = await anApiCaller(service(), { role: 'owner' });
  const claimed = await owner.own('POST', '/domains', { body: { domain: 'Chat.Customer.Example' } });
  expect(claimed).toMatchObject({ status: 201, body: { domain: host, status: 'pending' } });
  const { id, record } = claimed.body;
  expect(await owner.own('POST', `/domains/${id}/verify`)).toMatchObject({
    status: 409,
    body: { code: 'domain_not_proved', detail: expect.stringContaining(record.value) },
  });
  expect(await session(host)).toMatchObject({ status: 400 });

  expect(record.name).toBe(`_swarmgate.${host}`);
  records.set(record.name, ['v=spf1 -all', record.value]);
  expect(await owner.own('POST', `/domains/${id}/verify`)).toMatchObject({
    status: 200,
    body: { status: 'verified', verifiedBy: 'dns' },
  });

  // Its page needs no key, and may talk although it is none of the channel's origins.
  const begun = await eventually(async () => {
    const answer = await session(host);
    expect(answer.status).toBe(201);
    return answer.body;
  });
  const said = await askHost(service(), host, 'POST', '/chat/v1/messages', {
    body: { id: '0b7c8a52-6f0e-4c7e-9c43-0d3c51a1c6aa', text: 'Hello' },
    headers: { authorization: `Bearer ${begun.token}`, origin: `http://${host}` },
  });
  expect(said.status).toBe(202);

  expect(await owner.own('DELETE', `/domains/${id}`)).toMatchObject({ status: 204 });
  await eventually(async () => expect(await session(host)).toMatchObject({ status: 400 }));
});

test('every tenant has a host by its slug, where the installation gives one, and nobody else is on it', async () => {
  const shopHost = 'shop.chat.gateway.example';
  const shop = await anApiCaller(service(), { role: 'owner' });
  const bank = await anApiCaller(service(), { tenant: 'bank', role: 'owner' });
  expect(await shop.own('GET', '/domains')).toMatchObject({ body: { subdomain: shopHost } });
  expect(await session(shopHost)).toMatchObject({ status: 201 });
  expect(await session(shopHost, { key: 'wk_shop' })).toMatchObject({ status: 201 });
  expect(await session(shopHost, { key: 'wk_bank' })).toMatchObject({
    status: 404,
    body: { code: 'unknown_key' },
  });
  for (const other of ['nobody.chat.gateway.example', 'a.shop.chat.gateway.example', 'elsewhere.example'])
    expect(await session(other)).toMatchObject({ status: 400, body: { code: 'invalid_body' } });

  const ask = (path: string, key: string) =>
    askHost(service(), shopHost, 'GET', `/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
  expect(await ask(`/tenants/${shop.tenantId}/channels`, shop.key)).toMatchObject({ status: 200 });
  expect(await ask(`/tenants/${bank.tenantId}/channels`, bank.key)).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  });
  const operator = await anOperator(service());
  const asOperator = await askHost(service(), shopHost, 'GET', '/api/v1/tenants', {
    headers: { cookie: operator.cookie ?? '' },
  });
  expect(asOperator).toMatchObject({ status: 404 });
});

test('nobody signs in there: what stands before the host is the tenant’s', async () => {
  const email = 'guest@example.com';
  await aPersonSignedIn(service(), { email, tenant: 'shop', role: 'member' });
  const asked = await askHost(service(), 'shop.chat.gateway.example', 'POST', '/api/v1/sign-in', {
    body: { email, password: 'seven lamps under the quay' },
    headers: { 'x-csrf': '1' },
  });
  expect(asked.status).toBe(404);
  expect(asked.headers['set-cookie']).toBeUndefined();
});
