import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { describe, expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { type ApiCaller, anApiCaller } from '../support/an-api-caller.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }, { slug: 'other' }, { slug: 'full' }] });

const url = 'https://hooks.example/here';
const make = (caller: ApiCaller, more: object = {}) =>
  caller.own('POST', '/webhooks', { body: { url, eventTypes: ['tenant.resumed'], ...more } });

describe('an endpoint', () => {
  test('is made, looked at, changed, stopped and taken away', async () => {
    const admin = await anApiCaller(service());
    const made = await make(admin, { description: 'Ours' });
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...{ url, description: 'Ours', eventTypes: ['tenant.resumed'], includeText: false },
        ...{ status: 'enabled', disabledReason: null, version: 1 },
        id: expect.stringMatching(/^whk_[0-9a-f]{32}$/),
      },
    });
    const { secret, ...shown } = made.body;
    expect(Buffer.from(secret.replace('whsec_', ''), 'base64')).toHaveLength(32);
    const path = `/webhooks/${shown.id}`;
    expect((await admin.own('GET', path)).body).toEqual(shown);
    expect((await admin.own('GET', '/webhooks')).body.items[0]).toEqual(shown);

    const body = { eventTypes: ['*'], includeText: true, status: 'disabled' };
    const headers = { 'if-match': '"1"' };
    expect(await admin.own('PATCH', path, { body, headers })).toMatchObject({
      ...{ status: 200, body: { ...body, disabledReason: 'requested', version: 2 } },
    });
    expect(await admin.own('PATCH', path, { body, headers })).toMatchObject({ status: 412 });
    expect(await admin.own('DELETE', path)).toMatchObject({ status: 204 });
    for (const [method, at] of [
      ...[['GET', path] as const, ['DELETE', path] as const],
      ...[['GET', `${path}/deliveries`] as const, ['POST', `${path}/test`] as const],
    ])
      expect(await admin.own(method, at)).toMatchObject({ status: 404 });
    const { body: trail } = await admin.own('GET', '/audit-events?limit=100');
    const told = trail.items.filter(
      ({ resource }: { resource: { id?: string } }) => resource.id === shown.id,
    );
    expect(told.map(({ action }: { action: string }) => action)).toEqual(
      expect.arrayContaining(['createWebhook', 'updateWebhook', 'deleteWebhook']),
    );
    expect(JSON.stringify(trail)).not.toContain(secret);
  });

  test('is made once for an Idempotency-Key, with one secret', async () => {
    const admin = await anApiCaller(service());
    const once = () =>
      admin.own('POST', '/webhooks', {
        body: { url, eventTypes: ['*'] },
        headers: { 'idempotency-key': 'one' },
      });
    const answers = await Promise.all([once(), once(), once()]);
    expect(new Set(answers.map(({ body }) => body.secret)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  test('is the twentieth of its tenant at most, also of many at once', async () => {
    const admin = await anApiCaller(service(), { tenant: 'full' });
    const answers = await Promise.all(Array.from({ length: 25 }, () => make(admin)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({
      ...{ status: 409, body: { code: 'too_many_webhooks' } },
    });
  });

  test.each([
    [{ eventTypes: [] }],
    [{ eventTypes: ['*', 'tenant.resumed'] }],
    [{ eventTypes: ['tenant.resumed', 'tenant.resumed'] }],
    [{ eventTypes: ['ping'] }],
    [{ url: 'not a url' }],
    [{ url: `https://hooks.example/${'x'.repeat(2_100)}` }],
    [{ secret: 'whsec_of-their-own' }],
  ])('is not made of %j', async (more) => {
    expect(await make(await anApiCaller(service()), more)).toMatchObject({ status: 400 });
  });

  test.each([
    'http://hooks.example/',
    'ftp://hooks.example/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://shop.localhost/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.1.2.3/',
    'https://0x7f.1/',
    'https://user:password@hooks.example/',
    'http://127.0.0.1:1/',
  ])('is not made of an address that leads inside: %s', async (url) => {
    const admin = await anApiCaller(service());
    const refused = await admin.own('POST', '/webhooks', { body: { url, eventTypes: ['*'] } });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/body/url']);
    const { body: webhook } = await admin.own('POST', '/webhooks', {
      body: { url: 'https://hooks.example/', eventTypes: ['tenant.resumed'] },
    });
    const path = `/webhooks/${webhook.id}`;
    expect(await admin.own('PATCH', path, { body: { url } })).toMatchObject({ status: 400 });
    expect(await admin.own('DELETE', path)).toMatchObject({ status: 204 });
  });
});

describe('of another tenant', () => {
  test('an endpoint and what it was sent are not there, whatever is asked', async () => {
    const admin = await anApiCaller(service(), { role: 'owner' });
    const stranger = await anApiCaller(service(), { tenant: 'other', role: 'owner' });
    const { body: theirs } = await make(admin);
    const { body: sent } = await admin.own('POST', `/webhooks/${theirs.id}/test`);
    const { body: own } = await make(stranger);
    const none = `whk_${'0'.repeat(32)}`;
    for (const id of [theirs.id, none, own.id]) {
      const path = `/webhooks/${id}`;
      const event = `${path}/deliveries/${sent.eventId}`;
      const calls: [string, string, object?][] = [
        ...([
          ['GET', `${event}/attempts`],
          ['POST', `${event}/replay`],
        ] as [string, string][]),
        ...(id === own.id
          ? []
          : ([
              ['GET', path],
              ['PATCH', path, { status: 'disabled' }],
              ['DELETE', path],
              ['GET', `${path}/deliveries`],
              ['POST', `${path}/rotate`, {}],
              ['POST', `${path}/test`],
              ['POST', `${path}/replay`, { since: new Date(0).toISOString() }],
            ] as [string, string, object?][])),
      ];
      for (const [method, at, body] of calls)
        expect([at, (await stranger.own(method, at, body && { body })).status]).toEqual([at, 404]);
    }
    expect((await admin.own('GET', `/webhooks/${theirs.id}`)).body).toMatchObject({
      ...{ status: 'enabled', version: 1 },
    });
    expect((await stranger.own('GET', `/webhooks/${own.id}/deliveries`)).body.items).toEqual([]);
  });
});

describe('who may have somebody told', () => {
  const withRights = (...permissions: Permission[]) => anApiCaller(service(), { permissions });

  test('has them told of what they may read themselves, and of nothing else', async () => {
    const some = await withRights('webhooks:write', 'members:read');
    expect(await make(some, { eventTypes: ['member.added', 'invitation.accepted'] })).toMatchObject({
      status: 201,
    });
    for (const type of ['message.received', 'turn.failed', 'channel.status_changed', 'api_key.created'])
      expect(await make(some, { eventTypes: [type] })).toMatchObject({ status: 403 });
    for (const type of ['security.cross_tenant_attempt', 'tenant.suspended', '*'])
      expect(await make(some, { eventTypes: [type] })).toMatchObject({ status: 403 });
    expect(await make(some, { eventTypes: ['member.added'], includeText: true })).toMatchObject({
      status: 403,
    });
  });

  test('does not lead elsewhere what others are told, and may stop it', async () => {
    const admin = await anApiCaller(service());
    const { body: webhook } = await make(admin, { eventTypes: ['message.received'], includeText: true });
    const some = await withRights('webhooks:write');
    const path = `/webhooks/${webhook.id}`;
    const change = (body: object) => some.own('PATCH', path, { body });
    expect(await change({ url: 'https://thief.example/' })).toMatchObject({ status: 403 });
    expect(await change({ status: 'disabled', url: 'https://thief.example/' })).toMatchObject({
      status: 403,
    });
    expect(await change({ status: 'disabled' })).toMatchObject({ status: 200 });
    expect(await change({ status: 'enabled' })).toMatchObject({ status: 403 });
    expect((await admin.own('GET', path)).body.url).toBe(url);
  });

  test('looks on, changes or tests by the right for that', async () => {
    const admin = await anApiCaller(service());
    const { body: webhook } = await make(admin);
    const path = `/webhooks/${webhook.id}`;
    const reader = await withRights('webhooks:read');
    expect(await reader.own('GET', path)).toMatchObject({ status: 200 });
    expect(await reader.own('POST', `${path}/test`)).toMatchObject({ status: 403 });
    expect(await reader.own('POST', `${path}/rotate`, { body: {} })).toMatchObject({ status: 403 });
    const tester = await withRights('webhooks:execute');
    expect(await tester.own('POST', `${path}/test`)).toMatchObject({ status: 202 });
    expect(await tester.own('DELETE', path)).toMatchObject({ status: 403 });
  });
});
