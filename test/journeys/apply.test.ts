import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { operateMembers } from '../../src/cli/members.ts';
import { aService, sharedService } from '../support/a-service.ts';
import { planTenant } from '../support/a-tenant.ts';
import { inTenantOf } from '../support/place-of.ts';

const shared = sharedService({ tenants: [] });
const write = { dryRun: false };

test('a second apply changes nothing', async () => {
  const { app } = shared();
  const plan = planTenant({ slug: 'twice', identity: { secret: 's'.repeat(40), required: false } });

  const first = await app.apply(plan, write);
  const second = await app.apply(plan, write);

  expect(first.map(({ action, kind }) => `${action} ${kind}`)).toContain('created channel');
  expect(new Set(second.map(({ action }) => action))).toEqual(new Set(['unchanged']));
});

test('a dry run says what would change and writes nothing', async () => {
  const { app } = shared();
  const plan = planTenant({ slug: 'dry' });

  const would = await app.apply(plan, { dryRun: true });
  const done = await app.apply(plan, write);

  expect(would).toEqual(done);
  expect(would.find(({ kind }) => kind === 'tenant')).toMatchObject({ action: 'created', path: 'acme/dry' });
});

test('what the file does not name stays, and is named', async () => {
  const { app } = shared();
  await app.apply(planTenant({ slug: 'shrinking' }), write);
  const plan = planTenant({ slug: 'shrinking' });
  for (const tenant of plan.organizations[0]?.tenants ?? []) tenant.channels = [];

  const changes = await app.apply(plan, write);

  expect(changes).toContainEqual({
    action: 'kept',
    kind: 'channel',
    path: 'acme/shrinking/site',
    key: 'wk_shrinking',
  });
  await expect(shared().aVisitor({ key: 'wk_shrinking' })).resolves.toBeDefined();
});

test('a channel key that another tenant has is refused, and nothing of the tenant is written', async () => {
  const { app } = shared();
  await app.apply(planTenant({ slug: 'owner' }), write);
  const plan = planTenant({ slug: 'thief' });
  for (const channel of plan.organizations[0]?.tenants[0]?.channels ?? []) channel.key = 'wk_owner';

  await expect(app.apply(plan, write)).rejects.toThrow('The channel key "wk_owner" is claimed already');

  const tenants = await app.storage.scopes.inPlatform((unit) =>
    unit.sql("SELECT slug FROM directory.tenants WHERE slug IN ('owner', 'thief')"),
  );
  expect(tenants).toEqual([{ slug: 'owner' }]);
});

test('a tenant does not change its organization, nor its region', async () => {
  const { app } = shared();
  await app.apply(planTenant({ slug: 'settled' }), write);
  const [acme] = planTenant({ slug: 'settled' }).organizations;
  if (!acme) throw new Error('The plan has an organization.');
  const elsewhere = { organizations: [{ ...acme, slug: 'globex' }] };
  const abroad = {
    organizations: [{ ...acme, tenants: acme.tenants.map((tenant) => ({ ...tenant, region: 'eu' })) }],
  };

  await expect(app.apply(elsewhere, write)).rejects.toThrow('belongs to another organization');
  await expect(app.apply(abroad, write)).rejects.toThrow('lives in region "local"');
});

test('a change is seen by the running service within seconds, and an agent answers by its new model', async () => {
  const { app } = shared();
  await app.apply(planTenant({ slug: 'changing' }), write);
  const visitor = await shared().aVisitor({ key: 'wk_changing' });
  expect(await visitor.answerTo(await visitor.send('Hello'))).toMatchObject({ text: 'Hello' });

  await app.apply(planTenant({ slug: 'changing', model: 'builtin/answers' }), write);

  expect(await visitor.answerTo(await visitor.send('hello'))).toMatchObject({
    text: expect.stringContaining('without a language model'),
  });
});

test('documents are found after they were applied, and their new text after they were changed', async () => {
  const { app } = shared();
  const plan = (content: string) => {
    const made = planTenant({ slug: 'reading', model: 'builtin/answers' });
    for (const tenant of made.organizations[0]?.tenants ?? []) {
      tenant.knowledge = [
        { slug: 'handbook', title: 'Handbook', url: 'https://shop.example/handbook', content },
      ];
    }
    return made;
  };
  await app.apply(plan('# Handbook\n\n## Returns\n\nGoods may be returned within fourteen days.\n'), write);
  const visitor = await shared().aVisitor({ key: 'wk_reading' });
  const before = await visitor.answerTo(await visitor.send('How many days until goods may be returned?'));

  const changes = await app.apply(
    plan('# Handbook\n\n## Returns\n\nGoods may be returned within ninety days.\n'),
    write,
  );
  const after = await visitor.answerTo(await visitor.send('How many days until goods may be returned?'));

  expect(before.text).toContain('fourteen days');
  expect(before.sources).toEqual([expect.objectContaining({ url: 'https://shop.example/handbook#returns' })]);
  expect(changes).toContainEqual({ action: 'updated', kind: 'knowledge', path: 'acme/reading/handbook' });
  expect(after.text).toContain('ninety days');
});

test('secrets are stored sealed, and open nowhere but in their own row', async () => {
  const { app } = await aService({
    tenants: [{ slug: 'shop', identity: { secret: 'k'.repeat(40), required: false } }],
  });

  const rows = await app.storage.scopes.inPlatform(async (unit) => {
    const [tenant] = await unit.sql<{ id: string }>("SELECT id FROM directory.tenants WHERE slug = 'shop'");
    await unit.becomeTenant(tenant?.id ?? '');
    return unit.sql<{ tenant_id: string; id: string; sealed: { identitySecret: string } }>(
      'SELECT tenant_id, id, sealed FROM swarmgate.channels',
    );
  });

  const [channel] = rows;
  const sealed = channel?.sealed.identitySecret ?? '';
  const { keyRing } = app.storage;
  const place = {
    tenantId: channel?.tenant_id ?? '',
    table: 'channels',
    column: `${channel?.id}/identitySecret`,
  };
  expect(sealed).not.toContain('kkkk');
  expect(keyRing.open(sealed, place)).toBe('k'.repeat(40));
  expect(() => keyRing.open(sealed, { ...place, column: 'elsewhere/identitySecret' })).toThrow(
    'does not open',
  );
});

test('a document that is not there stops an apply before anything is written', async () => {
  const { readApplyFile } = await import('#tenancy/apply/read-apply-file.ts');
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_apply_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'acme.yaml');
  await writeFile(
    file,
    'organizations:\n  - slug: acme\n    name: Acme\n    tenants:\n      - slug: a\n        name: A\n        knowledge: [{ path: ./gone.md }]\n',
  );

  expect(() => readApplyFile(file, () => undefined)).toThrow(
    `${file}:7: ${join(folder, 'gone.md')}: there is no such file`,
  );
});

test('members are made so, whoever they are, and the only owner stays one', async () => {
  const service = await aService();
  const { apply, storage } = service.app;
  const planOf = (members: { email: string; role: 'owner' | 'admin' | 'viewer' }[]) => {
    const plan = planTenant();
    for (const tenant of plan.organizations[0]?.tenants ?? []) tenant.members = members;
    return plan;
  };
  const ann = { email: 'Ann@Acme.example', role: 'owner' as const };
  const memberChanges = async (plan: ReturnType<typeof planOf>, dryRun = false) =>
    (await apply(plan, { dryRun }))
      .filter(({ kind }) => kind === 'member')
      .map(({ action, path }) => [action, path]);
  const path = 'acme/shop/Ann@Acme.example';
  expect(await memberChanges(planOf([ann]), true)).toEqual([['created', path]]);
  expect(await operateMembers(storage, { tenant: 'shop', act: 'list' })).toEqual([]);
  expect(await memberChanges(planOf([ann]))).toEqual([['created', path]]);
  expect(await memberChanges(planOf([ann]))).toEqual([['unchanged', path]]);
  await expect(apply(planOf([{ ...ann, role: 'viewer' }]), { dryRun: false })).rejects.toThrow(/only owner/);
  const bob = { email: 'bob@acme.example', role: 'owner' as const };
  expect(await memberChanges(planOf([bob, { ...ann, role: 'admin' }]))).toEqual([
    ['created', 'acme/shop/bob@acme.example'],
    ['updated', path],
  ]);
  expect(await operateMembers(storage, { tenant: 'shop', act: 'list' })).toMatchObject([
    { email: 'ann@acme.example', role: 'admin' },
    { email: 'bob@acme.example', role: 'owner' },
  ]);
});

test('webhooks are made so, their secret shown once, and those that were stopped go on when they are changed', async () => {
  const { app } = shared();
  const url = 'https://hooks.example/here';
  const planOf = (...webhooks: object[]) => {
    const plan = planTenant({ slug: 'telling' });
    for (const tenant of plan.organizations[0]?.tenants ?? [])
      tenant.webhooks = webhooks.map((more) => ({
        ...{ url, eventTypes: ['*'], description: '', includeText: false },
        ...more,
      }));
    return plan;
  };
  const applied = async (plan: ReturnType<typeof planOf>, options = write) =>
    (await app.apply(plan, options)).filter(({ kind }) => kind === 'webhook');
  const path = `acme/telling/${url}`;
  const rows = () =>
    inTenantOf(shared(), 'telling', (unit) =>
      unit.sql<{ id: string; status: string; overlaps: boolean }>(
        `SELECT id, status, previous_until > now() AS overlaps FROM swarmgate.webhook_endpoints`,
      ),
    );

  expect(await applied(planOf({}), { dryRun: true })).toEqual([{ action: 'created', kind: 'webhook', path }]);
  expect(await applied(planOf({}))).toEqual([
    { action: 'created', kind: 'webhook', path, secret: expect.stringMatching(/^whsec_.{44}$/) },
  ]);
  expect(await applied(planOf({}))).toEqual([{ action: 'unchanged', kind: 'webhook', path }]);
  const [made] = await rows();

  const stop = `UPDATE swarmgate.webhook_endpoints SET status = 'disabled', disabled_reason = 'gone'`;
  await inTenantOf(shared(), 'telling', (unit) => unit.sql(stop));
  expect(await applied(planOf({}))).toMatchObject([{ action: 'unchanged' }]);
  const changed = { eventTypes: ['message.received'] };
  expect(await applied(planOf(changed), { dryRun: true })).toMatchObject([{ action: 'updated' }]);
  expect(await rows()).toMatchObject([{ status: 'disabled' }]);
  expect(await applied(planOf(changed))).toEqual([{ action: 'updated', kind: 'webhook', path }]);
  expect(await rows()).toEqual([{ ...made, status: 'enabled', overlaps: null }]);

  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  expect(await applied(planOf({ ...changed, secret }))).toMatchObject([{ action: 'updated' }]);
  expect(await applied(planOf({ ...changed, secret }))).toMatchObject([{ action: 'unchanged' }]);
  expect(await rows()).toEqual([{ ...made, status: 'enabled', overlaps: true }]);

  expect(await applied(planOf())).toEqual([{ action: 'kept', kind: 'webhook', path }]);
  await expect(applied(planOf({ url: 'https://10.0.0.1/' }))).rejects.toThrow('not an address of the public');
  const trail = await inTenantOf(shared(), 'telling', (unit) =>
    unit.sql<{ action: string }>('SELECT action FROM swarmgate.audit_events ORDER BY id'),
  );
  expect(trail.map(({ action }) => action)).toEqual(['createWebhook', 'updateWebhook', 'updateWebhook']);
});
