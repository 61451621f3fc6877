import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromWire } from '#domain/ids.ts';
import { operateOrganizations } from '../../src/cli/organizations.ts';
import { anOrganizer } from '../support/a-browser.ts';
import { aSignOnStage } from '../support/a-sign-on-stage.ts';

const { service, records, ownerOf, tenantOf, signOnOf, organizationOf, operator } = aSignOnStage();

describe('a connection that is changed', () => {
  test('to another issuer or client is given its secret anew', async () => {
    const { path } = await signOnOf('acme');
    for (const body of [{ clientId: 'another' }, { issuer: 'https://elsewhere.example' }])
      expect(await ownerOf('acme').call('PATCH', path, { body })).toMatchObject({
        status: 409,
        body: { code: 'client_secret_needed' },
      });
    const body = { clientId: 'another', clientSecret: 'another secret' };
    expect(await ownerOf('acme').call('PATCH', path, { body })).toMatchObject({ status: 200 });
  });

  test('is changed by somebody who has just shown a factor, and switched off by whoever may', async () => {
    const { path } = await signOnOf('acme');
    const { scopes } = service().app.storage;
    const owner = ownerOf('acme');
    const { body: sessions } = await owner.call('GET', '/me/sessions');
    const age = (by: string) =>
      scopes.inIdentity((unit) =>
        unit.sql(
          `UPDATE identity.web_sessions SET authenticated_at = authenticated_at ${by}, mfa_at = mfa_at ${by} WHERE id = $1`,
          [fromWire('session', sessions.items.find(({ isThisOne }: { isThisOne: boolean }) => isThisOne).id)],
        ),
      );
    await age(`- interval '11 minutes'`);
    for (const [method, body] of [
      ['PATCH', { name: 'Other' }],
      ['DELETE', undefined],
    ] as const)
      expect(await owner.call(method, path, body && { body })).toMatchObject({
        status: 403,
        body: { code: 'step_up_needed' },
      });
    expect(await owner.call('PATCH', path, { body: { isEnabled: false } })).toMatchObject({ status: 200 });
    await age(`+ interval '11 minutes'`);
  });
});

describe('a domain', () => {
  const path = (organization: string) => `/organizations/${organizationOf(organization)}/sign-on-domains`;
  const claim = (organization: string, domain: string) =>
    ownerOf(organization).call('POST', path(organization), { body: { domain } });

  test('may be claimed by many, and is believed of one, by an operator’s word or its own', async () => {
    const domain = `c${randomUUID().slice(0, 8)}.example`;
    const [acme, globex] = [await claim('acme', domain), await claim('globex', ` ${domain.toUpperCase()}. `)];
    expect([acme.status, globex.status, globex.body.domain]).toEqual([201, 201, domain]);
    expect(await claim('acme', domain)).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    const confirm = (organization: string, id: string, by = operator()) =>
      by.call('POST', `${path(organization)}/${id}/confirm`);
    expect((await confirm('globex', globex.body.id, ownerOf('globex'))).status).toBe(403);
    expect((await confirm('acme', globex.body.id)).status).toBe(404);

    const prove = (organization: string, id: string) =>
      ownerOf(organization).call('POST', `${path(organization)}/${id}/prove`);
    expect(await prove('acme', acme.body.id)).toMatchObject({
      status: 409,
      body: { code: 'domain_not_proved' },
    });
    const { name, value } = acme.body.record;
    expect([name, value]).toEqual([
      `_swarmgate.${domain}`,
      expect.stringMatching(/^swarmgate-domain=[0-9a-f]{32}$/),
    ]);
    records.set(name, ['v=spf1 -all', value]);
    expect(await prove('globex', globex.body.id)).toMatchObject({ status: 409 });
    expect(await prove('acme', acme.body.id)).toMatchObject({ status: 200, body: { confirmedBy: 'dns' } });
    expect(await confirm('globex', globex.body.id)).toMatchObject({
      status: 409,
      body: { code: 'domain_taken' },
    });

    expect((await ownerOf('acme').call('DELETE', `${path('acme')}/${acme.body.id}`)).status).toBe(204);
    expect(await confirm('globex', globex.body.id)).toMatchObject({
      status: 200,
      body: { confirmedBy: 'operator' },
    });
    expect((await ownerOf('globex').call('GET', path('globex'))).body.items).toContainEqual(
      expect.objectContaining({ domain, confirmedBy: 'operator' }),
    );
  });

  test('is confirmed at the command line by who looks after the installation, where it is claimed', async () => {
    const domain = `k${randomUUID().slice(0, 8)}.example`;
    const confirm = (organization: string) =>
      operateOrganizations(service().app.storage, { act: 'confirm-domain', organization, domain });
    await expect(confirm('acme')).rejects.toMatchObject({ code: 'organization_refused' });
    const { body } = await claim('acme', domain);
    await claim('globex', domain);
    await confirm('acme');
    const { items } = (await ownerOf('acme').call('GET', path('acme'))).body;
    expect(items).toContainEqual(expect.objectContaining({ id: body.id, confirmedBy: 'operator' }));
    await expect(confirm('globex')).rejects.toMatchObject({ code: 'organization_refused' });
    const [told] = await service().app.storage.scopes.inIdentity((unit) =>
      unit.sql(
        `SELECT actor_kind, detail ->> 'domain' AS domain FROM swarmgate.audit_events
           WHERE action = 'sign_on_domain.confirmed' ORDER BY id DESC LIMIT 1`,
      ),
    );
    expect(told).toEqual({ actor_kind: 'operator', domain });
  });

  test('leads to a connection of its own organization only', async () => {
    const globex = await signOnOf('globex');
    const body = { domain: `l${randomUUID().slice(0, 8)}.example`, connectionId: globex.id };
    expect(await ownerOf('acme').call('POST', path('acme'), { body })).toMatchObject({
      status: 409,
      body: { code: 'unknown_connection' },
    });
    const { body: own } = await claim('acme', body.domain);
    const change = { body: { connectionId: globex.id } };
    expect((await ownerOf('acme').call('PATCH', `${path('acme')}/${own.id}`, change)).status).toBe(409);
  });

  test.each([
    '',
    'localhost',
    'a b.example',
    '127.0.0.1',
    'example.',
    '-a.example',
    `${'a'.repeat(64)}.example`,
    'a@b.example',
    'https://a.example',
  ])('%j is none', async (domain) => {
    expect((await claim('acme', domain)).status).toBe(400);
  });
});

test('a connection joins people to tenants of its organization only, and shows no secret', async () => {
  const path = `/organizations/${organizationOf('acme')}/sign-on-connections`;
  const body = {
    name: 'IdP',
    issuer: 'https://idp.example',
    clientId: 'c',
    clientSecret: 'the secret of the client',
  };
  const foreign = { ...body, joins: { role: 'admin', tenantIds: [tenantOf('shop'), tenantOf('elsewhere')] } };
  expect(await ownerOf('acme').call('POST', path, { body: foreign })).toMatchObject({
    status: 409,
    body: { code: 'unknown_tenant' },
  });
  const made = await ownerOf('acme').call('POST', path, { body });
  expect(made.status).toBe(201);
  const admin = await anOrganizer(service(), { organization: 'acme', role: 'admin' });
  expect((await admin.call('GET', path)).status).toBe(200);
  expect((await admin.call('PATCH', `${path}/${made.body.id}`, { body: { name: 'Mine' } })).status).toBe(403);
  const seen = JSON.stringify([made.body, (await admin.call('GET', path)).body]);
  const told = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql('SELECT * FROM swarmgate.audit_events'),
  );
  expect(seen + JSON.stringify([told, service().logLines])).not.toContain('the secret of the client');
});
