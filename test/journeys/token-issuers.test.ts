import { expect, test } from 'vitest';
import { anIdentityProvider } from '../fakes/identity-provider.ts';
import { addApp, aPersonSignedIn } from '../support/a-browser.ts';
import { aService } from '../support/a-service.ts';
import { callerOf, tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

test('who has a token of a tenant’s own issuer acts there by what it says, until the issuer is taken back', async () => {
  const provider = await anIdentityProvider();
  const service = await aService({
    tenants: [{ slug: 'shop' }, { slug: 'other' }],
    overrides: { allowedHosts: [provider.host] },
  });
  const owner = await aPersonSignedIn(service, { email: 'owner@example.com', tenant: 'shop', role: 'owner' });
  await addApp(owner);
  const path = `/tenants/${await tenantIdOf(service, 'shop')}`;
  const made = await eventually(async () => {
    const answer = await owner.call('POST', `${path}/token-issuers`, {
      body: {
        ...{ name: 'Our IdP', issuer: provider.issuer, audience: 'swarmgate-shop' },
        ...{ roleClaim: 'groups', roles: [{ value: 'support', role: 'member' }], defaultRole: null },
      },
    });
    expect(answer.status).toBe(201);
    return answer;
  });

  const token = await provider.sign(
    provider.claimsFor('ann@idp.example', 'swarmgate-shop', { groups: ['staff', 'support'] }),
  );
  const call = callerOf(service, token);
  expect(await call('GET', `${path}/conversations`)).toMatchObject({ status: 200 });
  expect(await call('GET', `${path}/members`)).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/by the role member by the token issuer "Our IdP"/) },
  });
  expect(await call('GET', `/tenants/${await tenantIdOf(service, 'other')}/conversations`)).toMatchObject({
    status: 404,
  });
  expect(await call('GET', '/me')).toMatchObject({ status: 401 });
  expect(await call('GET', '/organizations')).toMatchObject({ status: 401 });

  const trail = (await owner.call('GET', `${path}/audit-events?actor=token_subject`)).body.items;
  expect(trail).toMatchObject([
    { action: 'listMembers', outcome: 'refused' },
    {
      ...{ action: 'listConversations', outcome: 'allowed' },
      actor: { kind: 'token_subject', id: expect.stringMatching(/^sub_[0-9a-f]{32}$/) },
      personal: { subject: 'ann@idp.example' },
    },
  ]);
  const byActor = await owner.call('GET', `${path}/audit-events?actor=${trail[0].actor.id}`);
  expect(byActor.body.items).toHaveLength(2);
  expect(JSON.stringify(service.logLines)).not.toMatch(/ann@idp/);

  expect(await owner.call('DELETE', `${path}/token-issuers/${made.body.id}`)).toMatchObject({ status: 204 });
  expect(await call('GET', `${path}/conversations`)).toMatchObject({ status: 404 });
});
