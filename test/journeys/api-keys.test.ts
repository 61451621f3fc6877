import { describe, expect, test } from 'vitest';
import { aService, sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }, { slug: 'other' }] });

describe('a key', () => {
  test('is shown once, and is good at once', async () => {
    const owner = await anApiCaller(service(), { role: 'owner' });
    const made = await owner.own('POST', '/api-keys', {
      body: { name: 'A program', permissions: ['channels:read'] },
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'A program', permissions: ['channels:read'], status: 'active', createdBy: null },
    });
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^sgk_[0-9A-Za-z]{73}$/);
    expect(key.startsWith(shown.prefix)).toBe(true);

    const call = callerOf(service(), key);
    expect(await call('GET', `/tenants/${owner.tenantId}/channels`)).toMatchObject({
      status: 200,
      body: { items: [{ slug: 'site', platform: 'webchat', secrets: [] }] },
    });
    const looked = await owner.own('GET', `/api-keys/${shown.id}`);
    expect(looked.body).toEqual({ ...shown, lastUsedAt: expect.any(String) });
    expect(JSON.stringify(looked.body)).not.toContain(key.slice(12));
  });

  test('may do what it was permitted, and nothing else', async () => {
    const viewer = await anApiCaller(service(), { role: 'viewer' });
    expect(await viewer.own('GET', '/conversations')).toMatchObject({ status: 200 });
    expect(await viewer.own('GET', '/api-keys')).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringMatching(/^api-keys:read is needed/) },
    });
  });

  test('can make none that may do more', async () => {
    const maker = await anApiCaller(service(), { permissions: ['api-keys:admin', 'channels:read'] });
    const permissions = ['channels:read', 'conversations:read'];
    expect(await maker.own('POST', '/api-keys', { body: { name: 'More', permissions } })).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/conversations:read/) },
    });
    const admin = await anApiCaller(service(), { role: 'admin' });
    const more = await admin.own('POST', '/api-keys', { body: { name: 'More', permissions } });
    // Nor take the place of one.
    expect(await maker.own('POST', `/api-keys/${more.body.id}/rotate`, { body: {} })).toMatchObject({
      status: 403,
    });
  });

  test('that is revoked is good nowhere, and its owner is told why', async () => {
    const admin = await anApiCaller(service());
    const victim = await anApiCaller(service());
    expect(await victim.own('GET', '/channels')).toMatchObject({ status: 200 });
    expect(await admin.own('DELETE', `/api-keys/${victim.keyId}`)).toMatchObject({
      status: 204,
      body: undefined,
    });
    expect(await victim.own('GET', '/channels')).toMatchObject({
      status: 401,
      body: { code: 'api_key_revoked' },
    });
    expect(await admin.own('GET', `/api-keys/${victim.keyId}`)).toMatchObject({
      body: { status: 'revoked' },
    });
  });

  test('that is past its time is not good', async () => {
    const admin = await anApiCaller(service());
    const made = await admin.own('POST', '/api-keys', {
      body: {
        name: 'Short',
        permissions: ['channels:read'],
        expiresAt: new Date(Date.now() + 1_500).toISOString(),
      },
    });
    const call = callerOf(service(), made.body.key);
    const ask = () => call('GET', `/tenants/${admin.tenantId}/channels`);
    expect(await ask()).toMatchObject({ status: 200 });
    await eventually(async () =>
      expect(await ask()).toMatchObject({ status: 401, body: { code: 'api_key_expired' } }),
    );
  });

  test('and its successor are both good until the overlap is over', async () => {
    const admin = await anApiCaller(service());
    const old = await anApiCaller(service());
    const rotate = (overlapSeconds: number) =>
      admin.own('POST', `/api-keys/${old.keyId}/rotate`, { body: { overlapSeconds } });
    const { body: next } = await rotate(2);
    expect(next).toMatchObject({ name: 'a test', status: 'active' });
    expect(await old.own('GET', '/channels')).toMatchObject({ status: 200 });
    expect(await callerOf(service(), next.key)('GET', `/tenants/${admin.tenantId}/channels`)).toMatchObject({
      status: 200,
    });
    expect(await admin.own('GET', `/api-keys/${old.keyId}`)).toMatchObject({ body: { replacedBy: next.id } });
    expect(await rotate(2)).toMatchObject({ status: 409, body: { code: 'api_key_ended' } });
    await eventually(async () => expect(await old.own('GET', '/channels')).toMatchObject({ status: 401 }));
    expect(await callerOf(service(), next.key)('GET', `/tenants/${admin.tenantId}/channels`)).toMatchObject({
      status: 200,
    });
  });

  test('is listed page by page, the latest first', async () => {
    const admin = await anApiCaller(service());
    for (let count = 0; count < 3; count++) await anApiCaller(service(), { name: `Key ${count}` });
    const first = await admin.own('GET', '/api-keys?limit=2');
    expect(first.body.items.map(({ name }: { name: string }) => name)).toEqual(['Key 2', 'Key 1']);
    const second = await admin.own('GET', `/api-keys?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body.items.map(({ name }: { name: string }) => name)).toEqual(['Key 0', 'a test']);
  });
});

test('a key that another process has revoked is good here for a second at most', async () => {
  const here = service();
  const there = await aService({ installation: here.installation, tenants: [] }).catch(() => undefined);
  // The embedded database belongs to one process; there is nobody else who could revoke it.
  if (!there) return;
  const admin = await anApiCaller(there);
  const victim = await anApiCaller(here);
  expect(await victim.own('GET', '/channels')).toMatchObject({ status: 200 });
  await admin.own('DELETE', `/api-keys/${victim.keyId}`);
  const revokedAt = performance.now();
  await eventually(async () => expect(await victim.own('GET', '/channels')).toMatchObject({ status: 401 }));
  expect(performance.now() - revokedAt).toBeLessThan(1_500);
});
