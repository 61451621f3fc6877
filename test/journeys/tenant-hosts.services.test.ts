import { describe, expect, test } from 'vitest';
import { NameServerError } from '#kernel/resolve-txt.ts';
import { anOperator } from '../support/a-browser.ts';
import { aService, type Service, sharedService } from '../support/a-service.ts';
import { shopOrigin } from '../support/a-tenant.ts';
import { anApiCaller } from '../support/an-api-caller.ts';
import { askHost } from '../support/ask-host.ts';
import { eventually } from '../support/eventually.ts';
import { inTenantOf } from '../support/place-of.ts';

const records = new Map<string, string[]>();
const resolveTxt = async (name: string) => {
  if (name.includes('silent')) throw new NameServerError(new Error('ETIMEOUT'));
  return records.get(name) ?? [];
};
const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'bank' }],
  env: { TENANT_BASE_DOMAIN: 'tenants.example', TRUSTED_PROXIES: '' },
  overrides: { resolveTxt },
});

const owner = (tenant = 'shop') => anApiCaller(service(), { tenant, role: 'owner' });

async function ask(tenant: string, domain: string) {
  const caller = await owner(tenant);
  const { status, body } = await caller.own('POST', '/domains', { body: { domain } });
  expect(status).toBe(201);
  return { ...caller, id: body.id as string, record: body.record as { name: string; value: string } };
}

const session = (at: Service, host: string, body: object = {}, headers: Record<string, string> = {}) =>
  askHost(at, host, 'POST', '/chat/v1/sessions', {
    body,
    headers: { origin: `http://${host}`, ...headers },
  });

describe('a domain', () => {
  test('that two ask for is whose record is there, and the other one learns no more than that it is taken', async () => {
    const shop = await ask('shop', 'both.example');
    const bank = await ask('bank', 'both.example');
    expect(shop.record.name).toBe(bank.record.name);
    expect(shop.record.value).not.toBe(bank.record.value);
    records.set(shop.record.name, [bank.record.value]);
    expect(await shop.own('POST', `/domains/${shop.id}/verify`)).toMatchObject({
      status: 409,
      body: { code: 'domain_not_proved' },
    });
    expect(await bank.own('POST', `/domains/${bank.id}/verify`)).toMatchObject({ status: 200 });

    // The domain has changed hands, or somebody else can write its records: the first one keeps it all the same.
    records.set(shop.record.name, [shop.record.value]);
    const refused = await shop.own('POST', `/domains/${shop.id}/verify`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'domain_claimed' } });
    expect(JSON.stringify(refused.body)).not.toContain(bank.tenantId.slice(4));
    const told = await inTenantOf(service(), 'bank', (unit) =>
      unit.sql<{ detail: unknown }>(
        `SELECT detail FROM swarmgate.audit_events WHERE action = 'domain.refused'`,
      ),
    );
    expect(told).toEqual([{ detail: { domain: 'both.example' } }]);
    expect(await bank.own('DELETE', `/domains/${bank.id}`)).toMatchObject({ status: 204 });
    expect(await shop.own('POST', `/domains/${shop.id}/verify`)).toMatchObject({ status: 200 });
  });

  test('is confirmed by an operator, for the tenant of the path alone', async () => {
    const { id, tenantId } = await ask('shop', 'confirmed.example');
    const bank = await owner('bank');
    const operator = await anOperator(service());
    expect(await operator.call('POST', `/tenants/${bank.tenantId}/domains/${id}/confirm`)).toMatchObject({
      status: 404,
    });
    expect(await operator.call('POST', `/tenants/${tenantId}/domains/${id}/confirm`)).toMatchObject({
      status: 200,
      body: { status: 'verified', verifiedBy: 'operator' },
    });
    await eventually(async () =>
      expect(await session(service(), 'confirmed.example')).toMatchObject({ status: 201 }),
    );
  });

  test.each(['', 'localhost', '10.0.0.1', 'a b.example', 'https://a.example', '*.a.example'])(
    'is a domain name: %j is none',
    async (domain) => {
      const { own } = await owner();
      expect(await own('POST', '/domains', { body: { domain } })).toMatchObject({ status: 400 });
    },
  );

  test.each(['tenants.example', 'bank.tenants.example', 'a.localhost', 'printer.local', 'db.internal'])(
    'of the installation, or special, is nobody’s: %s',
    async (domain) => {
      const { own } = await owner();
      expect(await own('POST', '/domains', { body: { domain } })).toMatchObject({
        status: 400,
        body: { code: 'domain_reserved' },
      });
    },
  );

  test('is not looked for in vain: no name server, and too many', async () => {
    const silent = await ask('shop', 'silent.example');
    expect(await silent.own('POST', `/domains/${silent.id}/verify`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/No name server/) },
    });
    const bank = await owner('bank');
    const statuses: number[] = [];
    for (let index = 0; index < 22; index++)
      statuses.push((await bank.own('POST', '/domains', { body: { domain: `d${index}.example` } })).status);
    expect(statuses.at(-1)).toBe(409);
    // Asked for again it is the same one.
    expect((await ask('bank', 'd0.example')).id).toBe((await ask('bank', 'd0.example')).id);
  });

  test('is a tenant’s to read, to ask for and to let go of, and not to call proved', async () => {
    const { id } = await ask('shop', 'unproved.example');
    await expect(
      inTenantOf(service(), 'shop', (unit) =>
        unit.sql(`UPDATE directory.domains SET verified_at = now(), verified_by = 'dns'`),
      ),
    ).rejects.toMatchObject({ code: 'scope_violation' });
    await expect(
      inTenantOf(service(), 'shop', (unit, tenantId) =>
        unit.sql(
          `INSERT INTO directory.domains (id, tenant_id, domain, challenge, verified_at, verified_by)
             VALUES (gen_random_uuid(), $1, 'planted.example', 'x', now(), 'dns')`,
          [tenantId],
        ),
      ),
    ).rejects.toMatchObject({ code: 'scope_violation' });
    const bank = await owner('bank');
    expect(await bank.own('DELETE', `/domains/${id}`)).toMatchObject({ status: 404 });
    expect(await bank.own('POST', `/domains/${id}/verify`)).toMatchObject({ status: 404 });
  });
});

describe('on a tenant’s host', () => {
  const host = 'shop.tenants.example';

  test('another page than its own needs to be among the origins of the channel, as anywhere', async () => {
    for (const [origin, status] of [
      ['http://evil.example', 403],
      [`http://${host}:8080`, 403],
      [`http://bank.tenants.example`, 403],
      ['null', 403],
      [shopOrigin, 201],
      [`https://${host}`, 201],
    ] as const)
      expect([origin, (await session(service(), host, {}, { origin })).status]).toEqual([origin, status]);
  });

  test('a visitor of another tenant is nobody', async () => {
    const visitor = await service().aVisitor({ key: 'wk_bank' });
    const headers = { authorization: `Bearer ${visitor.session.token}` };
    expect(await askHost(service(), host, 'GET', '/chat/v1/messages', { headers })).toMatchObject({
      status: 401,
      body: { code: 'token_invalid' },
    });
    expect(await askHost(service(), 'localhost', 'GET', '/chat/v1/messages', { headers })).toMatchObject({
      status: 200,
    });
  });

  test('without a key it is its only web chat, or the one that is called default, and there is none for more', async () => {
    const { own } = await owner();
    const channel = (slug: string) => ({ slug, platform: 'webchat', origins: [shopOrigin] });
    const second = await own('POST', '/channels', { body: channel('second') });
    await eventually(async () =>
      expect(await session(service(), host)).toMatchObject({ status: 404, body: { code: 'no_channel' } }),
    );
    expect(await askHost(service(), host, 'GET', '/')).toMatchObject({ status: 404 });
    const third = await own('POST', '/channels', {
      body: { ...channel('default'), greeting: 'The default' },
    });
    await eventually(async () =>
      expect(await session(service(), host)).toMatchObject({
        status: 201,
        body: { agent: { greeting: 'The default' } },
      }),
    );
    for (const { body } of [second, third]) await own('DELETE', `/channels/${body.id}`);
    await eventually(async () =>
      expect((await session(service(), host)).body.agent.greeting).toBeUndefined(),
    );
  });
});

describe('the host that is asked', () => {
  test('is the header’s; what a proxy says of it counts from proxies that are trusted alone', async () => {
    const forwarded = { 'x-forwarded-host': 'shop.tenants.example' };
    expect(await session(service(), 'gateway.example', {}, forwarded)).toMatchObject({ status: 400 });
    const behind = await aService({
      tenants: [{ slug: 'shop' }],
      env: { TENANT_BASE_DOMAIN: 'tenants.example', TRUSTED_PROXIES: 'loopback' },
    });
    const origin = 'http://shop.tenants.example';
    expect(await session(behind, 'gateway.example', {}, { ...forwarded, origin })).toMatchObject({
      status: 201,
    });
  });

  test('is nobody’s where the installation gives none, whatever it says', async () => {
    const plain = await aService({ tenants: [{ slug: 'shop' }] });
    for (const host of [
      'shop.tenants.example',
      'shop',
      '[::1]',
      'x'.repeat(300),
      "a'; DROP TABLE x; --.example",
    ])
      expect([host, (await session(plain, host)).status]).toEqual([host, 400]);
    expect(
      await session(plain, 'anything.example', { key: 'wk_shop' }, { origin: shopOrigin }),
    ).toMatchObject({ status: 201 });
  });
});
