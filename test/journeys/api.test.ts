import { api } from '@swarmgate/contract/rest/api.ts';
import { type PathId, pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import { describe, expect, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }, { slug: 'other' }] });
const someId = '0123456789abcdef0123456789abcdef';

describe('whoever calls', () => {
  const pathOf = ({ path }: Operation, tenantId: string) =>
    path
      .replace('{tenantId}', tenantId)
      .replaceAll(/\{(\w+)\}/g, (_, name: string) => `${pathIdPrefixes[name as PathId]}_${someId}`);
  // Those about whoever calls are looked at in api-people.test.ts, those about an organization in organization-access.services.test.ts.
  const every = Object.entries<Operation>(api).filter(
    ([, { path, needs }]) => path.includes('{tenantId}') && needs !== 'an-operator',
  );

  test.each(every)('%s: without credentials is refused', async (_, operation) => {
    const call = callerOf(service());
    const tenantId = await tenantIdOf(service(), 'shop');
    for (const headers of [{}, { authorization: 'Basic c2drXw==' }, { authorization: 'Bearer' }]) {
      const answer = await call(operation.method.toUpperCase(), pathOf(operation, tenantId), { headers });
      expect(answer).toMatchObject({ status: 401, body: { code: 'credentials_missing' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test.each(every)(
    '%s: with nothing permitted is refused, and that is on the trail',
    async (name, operation) => {
      const nobody = await anApiCaller(service(), { permissions: ['quotas:read'] });
      const answer = await nobody.call(operation.method.toUpperCase(), pathOf(operation, nobody.tenantId));
      if (operation.needs === 'nothing') return expect([200, 400, 403]).toContain(answer.status);
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      const [event] = await trailOf('shop');
      expect(event).toMatchObject({ action: name, outcome: 'refused', permission: operation.needs });
    },
  );

  test.each(every)(
    '%s: for another tenant finds what is not there, and that is on their own trail',
    async (name, operation) => {
      const stranger = await anApiCaller(service(), { role: 'owner' });
      const method = operation.method.toUpperCase();
      const foreign = await tenantIdOf(service(), 'other');
      const known = await stranger.call(method, pathOf(operation, foreign));
      const unknown = await stranger.call(method, pathOf(operation, `tnt_${someId}`));
      const malformed = await stranger.call(method, pathOf(operation, 'tnt_1'));
      for (const answer of [known, unknown, malformed]) {
        expect(answer.status).toBe(404);
        expect({ ...answer.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
      }
      expect((await trailOf('shop')).filter(({ action }) => action === name).slice(0, 2)).toMatchObject([
        {
          ...{ outcome: 'refused', resource_kind: 'tenant', resource_id: expect.stringMatching(/^tnt_/) },
          reason: expect.stringMatching(/no access/),
        },
        { outcome: 'refused' },
      ]);
      expect((await trailOf('other')).filter(({ actor_kind }) => actor_kind === 'api_key')).toEqual([]);
    },
  );
});

async function trailOf(slug: string) {
  const { scopes } = service().app.storage;
  return scopes.inPlatform(async (unit) => {
    const [tenant] = await unit.sql<{ id: string }>('SELECT id FROM directory.tenants WHERE slug = $1', [
      slug,
    ]);
    await unit.becomeTenant(tenant?.id ?? '');
    return unit.sql<Record<string, unknown>>(
      'SELECT * FROM swarmgate.audit_events ORDER BY id DESC LIMIT 20',
    );
  });
}

describe('what is asked', () => {
  test('is named where it is not understood', async () => {
    const admin = await anApiCaller(service());
    const answer = await admin.own('POST', '/api-keys', {
      body: { name: '', permissions: ['fly:read'], 'a/b~c': 1 },
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      requestId: answer.headers.get('x-request-id'),
    });
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      expect.arrayContaining(['/body/name', '/body/permissions/0']),
    );
  });

  test.each<[string, string, object, number, string]>([
    ['no JSON', '{"name":', { 'content-type': 'application/json' }, 400, 'invalid_json'],
    ['no object', '"name"', { 'content-type': 'application/json' }, 400, 'invalid_json'],
    ['another type', 'name=a', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    [
      'too large',
      JSON.stringify({ name: 'x'.repeat(300_000) }),
      { 'content-type': 'application/json' },
      413,
      'body_too_large',
    ],
  ])('is refused when it is %s', async (_, body, headers, status, code) => {
    const admin = await anApiCaller(service());
    expect(await admin.own('POST', '/api-keys', { body, headers: { ...headers } })).toMatchObject({
      status,
      body: { code },
    });
  });

  test.each(['?limit=0', '?limit=101', '?limit=a', '?cursor=%00', '?cursor=bm9uZQ', '?color=red'])(
    'is refused in a query: %s',
    async (query) => {
      const admin = await anApiCaller(service());
      expect(await admin.own('GET', `/api-keys${query}`)).toMatchObject({ status: 400 });
    },
  );

  test('says how much more may be asked', async () => {
    const admin = await anApiCaller(service());
    const { headers } = await admin.own('GET', '/channels');
    expect(headers.get('ratelimit')).toMatch(/^"default";r=\d+;t=\d+$/);
    expect(headers.get('ratelimit-policy')).toBe('"default";q=600;w=60');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('is refused when it is asked too often', async () => {
    const admin = await anApiCaller(service());
    let refused = await admin.own('GET', '/channels');
    for (let count = 0; count < 40 && refused.status === 200; count++)
      for (const answer of await Promise.all(
        Array.from({ length: 25 }, () => admin.own('GET', '/access?permission=audit:read')),
      ))
        if (answer.status !== 200) refused = answer;
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  }, 60_000);
});

describe('a version', () => {
  test('that was seen is changed, another one is not', async () => {
    const admin = await anApiCaller(service());
    const seen = await admin.own('GET', '');
    const etag = seen.headers.get('etag') ?? '';
    expect(etag).toBe(`"${seen.body.version}"`);
    const rename = (name: string, match: string) =>
      admin.own('PATCH', '', { body: { name }, headers: { 'if-match': match } });
    expect(await rename('A shop', etag)).toMatchObject({ status: 200, body: { name: 'A shop' } });
    expect(await rename('Another shop', etag)).toMatchObject({
      status: 412,
      body: { code: 'version_changed' },
    });
    expect(await rename('Another shop', 'W/"1"')).toMatchObject({ status: 400 });
    expect(await rename('Another shop', '*')).toMatchObject({ status: 200, body: { name: 'Another shop' } });
    expect(
      await admin.own('PATCH', '', { body: { settings: { webchat: { textLengthMax: 0 } } } }),
    ).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/body/settings/webchat/textLengthMax' }] },
    });
  });

  test('of an agent is what the next answer comes from', async () => {
    const admin = await anApiCaller(service());
    const { body } = await admin.own('GET', '/agents');
    const agent = body.items[0];
    const changed = await admin.own('PATCH', `/agents/${agent.id}`, {
      body: { instructions: 'Be brief.\u0000' },
      headers: { 'if-match': `"${agent.version}"` },
    });
    expect(changed).toMatchObject({
      status: 200,
      body: { instructions: 'Be brief.\ufffd', version: agent.version + 1 },
    });
  });
});

describe('with an Idempotency-Key', () => {
  const body = { name: 'Once', permissions: ['channels:read'] };

  test('a call has one effect and one answer, also of many at once', async () => {
    const admin = await anApiCaller(service());
    const headers = { 'idempotency-key': 'make-one' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => admin.own('POST', '/api-keys', { body, headers })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body.key)).size).toBe(1);
    const { body: listed } = await admin.own('GET', '/api-keys?limit=100');
    expect(listed.items.filter(({ name }: { name: string }) => name === 'Once')).toHaveLength(1);
  });

  test('another request is refused, and another caller is another', async () => {
    const admin = await anApiCaller(service());
    const other = await anApiCaller(service());
    const headers = { 'idempotency-key': 'the-same' };
    const first = await admin.own('POST', '/api-keys', { body, headers });
    expect(await admin.own('POST', '/api-keys', { body: { ...body, name: 'Twice' }, headers })).toMatchObject(
      {
        status: 422,
        body: { code: 'idempotency_key_reused' },
      },
    );
    const second = await other.own('POST', '/api-keys', { body, headers });
    expect(second.body.id).not.toBe(first.body.id);
  });

  test.each(['', ' ', 'ä', 'x'.repeat(256)])('of a bad form (%j) is refused', async (key) => {
    const admin = await anApiCaller(service());
    const headers = { 'idempotency-key': encodeURI(key) === key ? key : Buffer.from(key).toString('latin1') };
    expect(await admin.own('POST', '/api-keys', { body, headers })).toMatchObject({ status: 400 });
  });

  test('what failed may be tried again', async () => {
    const admin = await anApiCaller(service());
    const headers = { 'idempotency-key': 'again' };
    const role = { slug: 'clerk', name: 'Clerk', permissions: ['channels:read'] };
    const taken = await admin.own('POST', '/roles', { body: role });
    expect(await admin.own('POST', '/roles', { body: role, headers })).toMatchObject({ status: 409 });
    expect(await admin.own('DELETE', `/roles/${taken.body.id}`)).toMatchObject({ status: 204 });
    expect(await admin.own('POST', '/roles', { body: role, headers })).toMatchObject({ status: 201 });
  });
});

describe('conversations', () => {
  test('are listed and read, and answered by a person of the team once', async () => {
    const admin = await anApiCaller(service());
    const visitor = await service().aVisitor();
    await visitor.answerTo(await visitor.send('Hello'));
    const { body: list } = await admin.own('GET', '/conversations?status=open');
    const [conversation] = list.items;
    expect(conversation).toMatchObject({
      id: visitor.session.conversationId,
      platform: 'webchat',
      status: 'open',
    });
    const path = `/conversations/${conversation.id}`;
    expect((await admin.own('GET', path)).body).toEqual(conversation);

    const say = () =>
      admin.own('POST', `${path}/messages`, {
        body: { text: 'A person here.' },
        headers: { 'idempotency-key': 'say' },
      });
    const [said, again] = [await say(), await say()];
    expect(said).toMatchObject({ status: 202, body: { conversationId: conversation.id } });
    expect(again.body).toEqual(said.body);
    await eventually(async () => {
      const { body } = await admin.own('GET', `${path}/messages?limit=2`);
      expect(body.items).toMatchObject([
        { id: said.body.id, role: 'operator', text: 'A person here.', delivery: { state: 'sent' } },
        { role: 'agent', text: 'Hello' },
      ]);
      const rest = await admin.own('GET', `${path}/messages?cursor=${body.nextCursor}`);
      expect(rest.body).toMatchObject({
        items: [{ role: 'visitor', text: 'Hello', sequence: 1 }],
        nextCursor: null,
      });
    });
    expect((await visitor.history()).map(({ role }) => role)).toEqual(['visitor', 'agent', 'operator']);
  });
});

describe('the trail', () => {
  test('tells of a change with it, and of no change that was undone', async () => {
    const admin = await anApiCaller(service());
    const made = await admin.own('POST', '/roles', {
      body: { slug: 'trailed', name: 'Trailed', permissions: ['channels:read'] },
      headers: { 'user-agent': 'a test' },
    });
    const [event] = await trailOf('shop');
    expect(event).toMatchObject({
      ...{ action: 'createRole', outcome: 'allowed', permission: 'roles:write', actor_kind: 'api_key' },
      ...{ resource_kind: 'roles', resource_id: made.body.id, request_id: made.headers.get('x-request-id') },
      detail: { permissions: ['channels:read'] },
      reason: 'roles:write is permitted by the permissions of the API key.',
    });
    expect(JSON.stringify(event)).not.toMatch(/127\.0\.0\.1|a test/);
    await admin.own('POST', '/roles', {
      body: { slug: 'trailed', name: 'Again', permissions: ['channels:read'] },
    });
    const [failed] = await trailOf('shop');
    expect(failed).toMatchObject({ action: 'createRole', outcome: 'failed', reason: 'slug_taken' });
  });
});

test('the trail is looked through by who, what and when, and only by who may', async () => {
  const admin = await anApiCaller(service());
  const other = await anApiCaller(service());
  await other.own('GET', '/agents', { headers: { 'user-agent': 'a browser' } });
  const page = async (query: string) => (await admin.own('GET', `/audit-events?${query}`)).body;
  const { items, nextCursor } = await page(`actor=${other.keyId}`);
  expect(nextCursor).toBeNull();
  expect(items).toMatchObject([
    {
      ...{
        action: 'listAgents',
        outcome: 'allowed',
        permission: 'agents:read',
        resource: { kind: 'agents' },
      },
      actor: { kind: 'api_key', id: other.keyId },
      personal: { userAgent: 'a browser' },
    },
  ]);
  const first = await page('limit=2');
  const second = await page(`limit=2&cursor=${first.nextCursor}`);
  const ids = [...first.items, ...second.items].map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(4);
  expect((await page('action=createRole&outcome=failed')).items.length).toBeGreaterThan(0);
  expect((await page('before=2020-01-01T00:00:00Z')).items).toEqual([]);
});

test('no key and no text of anybody stands in a log', async () => {
  const admin = await anApiCaller(service());
  await admin.own('GET', '/channels');
  await callerOf(service(), `${admin.key.slice(0, -1)}x`)('GET', `/tenants/${admin.tenantId}/channels`);
  expect(JSON.stringify(service().logLines)).not.toMatch(/sgk_[0-9A-Za-z]{20}|A person here/);
});

test('the API is described for programs and for people, each call once, and the page runs nothing', async () => {
  const document = await (await fetch(`${service().url}/api/v1/openapi.json`)).json();
  const page = await fetch(`${service().url}/docs`);
  const html = await page.text();
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(html).not.toContain('<script');
  const described = Object.values(
    (document as { paths: Record<string, Record<string, { operationId: string }>> }).paths,
  ).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(described.sort()).toEqual(Object.keys(api).sort());
  for (const name of described) expect(html.split(`<details id="${name}">`)).toHaveLength(2);
});
