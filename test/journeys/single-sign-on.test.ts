import { expect, test } from 'vitest';
import { anIdentityProvider } from '../fakes/identity-provider.ts';
import { anOperator, anOrganizer, organizationIdOf } from '../support/a-browser.ts';
import { aService } from '../support/a-service.ts';
import { aConnection, aSignOnBrowser } from '../support/a-sign-on.ts';
import { tenantIdOf } from '../support/an-api-caller.ts';
import { eventually } from '../support/eventually.ts';

test('people of an organization sign in with its provider, for the first time too, until it is taken away', async () => {
  const provider = await anIdentityProvider();
  const service = await aService({
    tenants: [{ slug: 'shop' }, { slug: 'elsewhere', organization: 'globex' }],
    env: { PUBLIC_URL: 'https://chat.example' },
    overrides: { allowedHosts: [provider.host] },
  });
  const organizationId = await organizationIdOf(service, 'acme');
  const tenantId = await tenantIdOf(service, 'shop');
  const operator = await anOperator(service);
  const owner = await anOrganizer(service, { organization: 'acme', role: 'owner' });
  const connection = await aConnection(
    { provider, owner, operator, organizationId, domains: ['acme.example'] },
    { joins: { role: 'member', tenantIds: [tenantId] } },
  );
  expect(connection.redirectUri).toBe(`https://chat.example/sso/${connection.id}/callback`);

  const browser = aSignOnBrowser(service);
  provider.signsIn({ sub: 'u-1', email: 'Ann@acme.example', email_verified: true, name: 'Ann' });
  const url = await browser.begin({ email: 'ann@acme.example', returnPath: '/admin/conversations' });
  expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
    ...{ response_type: 'code', client_id: connection.clientId, scope: 'openid email profile' },
    ...{
      redirect_uri: connection.redirectUri,
      code_challenge_method: 'S256',
      login_hint: 'ann@acme.example',
    },
  });
  const back = await browser.comeBack(await browser.atProvider(url));
  expect(provider.complaints).toEqual([]);
  expect(back).toMatchObject({ status: 303, location: '/admin/conversations' });
  expect(back.setCookies).toEqual([
    expect.stringMatching(/^__Host-swarmgate-sign-on=; Path=\/; Expires=Thu, 01 Jan 1970/),
    expect.stringMatching(
      /^__Host-swarmgate-session=sgs_[^;]+; Max-Age=\d+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    ),
  ]);
  expect((await browser.call('GET', '/me')).body).toMatchObject({
    ...{ email: 'ann@acme.example', name: 'Ann', isOperator: false, hasShownSecondFactor: false },
    tenants: [{ slug: 'shop', role: 'member' }],
  });
  expect(await browser.call('GET', `/tenants/${tenantId}/conversations`)).toMatchObject({ status: 200 });

  // The second time by the subject alone, whatever the address is by then.
  provider.signsIn({ sub: 'u-1', email: 'ann.smith@elsewhere.example', email_verified: false });
  const again = aSignOnBrowser(service);
  expect(await again.signOn({ connectionId: connection.id })).toMatchObject({ status: 303, location: '/' });
  expect((await again.call('GET', '/me')).body).toMatchObject({ email: 'ann@acme.example' });

  expect(await owner.call('PATCH', connection.path, { body: { isEnabled: false } })).toMatchObject({
    status: 200,
  });
  await eventually(async () => expect(await browser.call('GET', '/me')).toMatchObject({ status: 401 }));
  await owner.call('PATCH', connection.path, { body: { isEnabled: true } });
  await eventually(async () => expect(await again.call('GET', '/me')).toMatchObject({ status: 401 }));
  expect(JSON.stringify(service.logLines)).not.toMatch(/u-1|ann@acme|code=|sgo_|a secret: of/);
});
