import { ApiProblem, createApiClient, eachOf } from '@swarmgate/contract/rest/client.ts';
import { expect, expectTypeOf, test } from 'vitest';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller } from '../support/an-api-caller.ts';

const service = sharedService({ tenants: [{ slug: 'shop' }] });

async function aClient() {
  const { tenantId, key } = await anApiCaller(service(), { role: 'admin' });
  return { tenantId, client: createApiClient({ baseUrl: service().url, bearer: key }) };
}

test('what the contract names is a function, which answers as the contract says', async () => {
  const { tenantId, client } = await aClient();
  const { body, etag } = await client.getTenant({ tenantId });
  expectTypeOf(body.status).toEqualTypeOf<'active' | 'suspended' | 'closing' | 'deleting'>();
  expect(body).toMatchObject({ id: tenantId, slug: 'shop' });

  const renamed = await client.updateTenant({ tenantId, body: { name: 'The shop' }, ifMatch: etag ?? '' });
  expect(renamed.body.name).toBe('The shop');
  await expect(
    client.updateTenant({ tenantId, body: { name: 'Shop' }, ifMatch: etag ?? '' }),
  ).rejects.toMatchObject({ status: 412 });

  const { body: access } = await client.explainAccess({ tenantId, query: { permission: 'members:write' } });
  expect(access).toMatchObject({ permission: 'members:write' });
});

test('a refusal says what it is about', async () => {
  const { tenantId, client } = await aClient();
  const asked = client.updateTenant({ tenantId, body: { name: '' } });
  const refusal = await asked.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ApiProblem);
  expect(refusal).toMatchObject({
    status: 400,
    errors: [{ pointer: '/body/name' }],
    requestId: expect.stringMatching(/./),
    message: expect.stringMatching(/./),
  });
});

test('the same key repeats nothing, and a list is read to its end', async () => {
  const { tenantId, client } = await aClient();
  const make = (slug: string, idempotencyKey: string) =>
    client.createRole({ tenantId, idempotencyKey, body: { slug, name: slug, permissions: ['agents:read'] } });
  const once = crypto.randomUUID();
  const first = await make('first', once);
  expect((await make('first', once)).body.id).toBe(first.body.id);
  const others = [await make('second', crypto.randomUUID()), await make('third', crypto.randomUUID())];

  const made = new Set([first, ...others].map(({ body }) => body.id));
  const told = new Set<string | undefined>();
  for await (const { resource } of eachOf(client.listAuditEvents, { tenantId, query: { limit: 2 } }))
    told.add(resource.id);
  expect(made.size).toBe(3);
  for (const id of made) expect(told).toContain(id);
});
