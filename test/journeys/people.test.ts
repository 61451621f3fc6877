import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOTP } from 'otpauth';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '#domain/ids.ts';
import { decide } from '#identity/decide.ts';
import { createIdentity, type Identity } from '#identity/identity.ts';
import { runCommand } from '../support/a-command.ts';
import { aStartedService } from '../support/a-started-service.ts';
import { anInstallation } from '../support/an-installation.ts';
import { eventually } from '../support/eventually.ts';
import { atHome, goodPassword, somePeople } from '../support/some-people.ts';

test('somebody is asked to run a tenant, adds a second factor, does so, and is removed again', async () => {
  const people = await somePeople();
  const { tenant } = await people.organization();
  const owner = await people.member('owner@acme.example', tenant, { builtin: 'owner' });
  const { scopes, keyRing, audit } = people.parts;
  const { clock } = people;
  const publicUrl = 'https://chat.example';
  const identity: Identity = createIdentity({ scopes, keyRing, audit, publicUrl, nowMs: () => clock.nowMs });
  expect(identity.cookie.name).toBe('__Host-swarmgate-session');

  const by = { kind: 'user', id: owner } as const;
  const role = { builtin: 'admin' } as const;
  const asked = await identity.invite({ tenantId: tenant, email: 'ann@acme.example', role, by }, atHome);
  if (asked.outcome !== 'invited') throw new Error(asked.outcome);
  const accepted = await identity.acceptInvitation(
    { token: asked.token, as: { name: 'Ann', password: goodPassword } },
    atHome,
  );
  if (accepted.outcome !== 'accepted') throw new Error(accepted.outcome);

  const password = { email: 'ann@acme.example', password: goodPassword };
  const signed = await identity.signIn(password, atHome);
  if (signed.outcome !== 'signed_in') throw new Error(signed.outcome);
  expect(signed.mustAddSecondFactor).toBe(true);
  const mayChangeRoles = async (sessionToken: string) => {
    const principal = await identity.authenticate({ sessionToken });
    return principal && decide(await identity.grantFor(principal, tenant), 'roles:write').allowed;
  };
  expect(await mayChangeRoles(signed.session.token)).toBe(false);

  const before = await identity.findSession(signed.session.token);
  if (!before) throw new Error('The session is not good.');
  const begun = await identity.beginTotp(before, atHome);
  if (begun.outcome !== 'begun') throw new Error('No app was added.');
  const app = new TOTP({ secret: begun.secret });
  const nextCode = () => {
    clock.nowMs += 30_000;
    return app.generate({ timestamp: clock.nowMs });
  };
  expect(await identity.confirmTotp(before, nextCode(), atHome)).toMatchObject({ outcome: 'confirmed' });
  const again = await identity.signIn(password, atHome);
  if (again.outcome !== 'second_factor') throw new Error(again.outcome);
  const finished = await identity.finishSignIn({ challenge: again.challenge, code: nextCode() }, atHome);
  if (finished.outcome !== 'signed_in') throw new Error(finished.outcome);
  const { token } = finished.session;
  expect(await mayChangeRoles(token)).toBe(true);

  const found = await identity.findSession(token);
  const tokens = found && (await identity.issueTokens(found, { tenantId: tenant }, atHome));
  if (tokens?.outcome !== 'issued') throw new Error('No tokens were issued.');
  expect(await identity.authenticate({ accessToken: tokens.accessToken })).toMatchObject({
    tenantId: tenant,
  });
  expect((await identity.publishedKeys()).keys).toHaveLength(1);

  expect(await identity.removeMember({ tenantId: tenant, userId: accepted.userId, by }, atHome)).toEqual({
    outcome: 'done',
  });
  await eventually(async () => expect(await mayChangeRoles(token)).toBe(false));
  await scopes.call('identity.forget_ended_v1', []);
  expect(await identity.listSessions({ userId: accepted.userId, organizationId: null })).toHaveLength(2);
  expect(await identity.grantOf(newId(), tenant)).toBeUndefined();
});

const acme = `organizations:
  - { slug: acme, name: Acme Inc, tenants: [{ slug: acme, name: Acme }] }
`;

test('an operator looks after people and members at the command line, while the service runs', async () => {
  const { env, remove } = await anInstallation();
  onTestFinished(remove);
  await aStartedService(env);
  const run = (words: string, input?: string) => runCommand(words.split(' '), env, input);
  const folder = await mkdtemp(join(tmpdir(), 'swarmgate_test_file_'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'acme.yaml'), acme);
  expect(await run(`apply ${join(folder, 'acme.yaml')}`)).toMatchObject({ code: 0 });

  const made = await run('users create Ann@acme.example --operator --json');
  expect(JSON.parse(made.output)).toEqual({
    id: expect.stringMatching(/^usr_/),
    email: 'ann@acme.example',
    link: { purpose: 'set_password', token: expect.stringMatching(/^sgl_/), expiresAt: expect.any(String) },
  });
  expect(await run('users create ann@acme.example')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/already/),
  });
  expect(await run('users create nobody')).toMatchObject({ code: 1 });
  const bob = 'users create bob@acme.example --password-stdin';
  expect(await run(bob, 'password1234\n')).toMatchObject({ code: 1 });
  expect(await run(bob, `${goodPassword}\n`)).toMatchObject({
    code: 0,
    output: 'bob@acme.example is added.\n',
  });
  expect((await run('users link bob@acme.example --sign-in')).output).toMatch(/^sgl_/);

  expect(await run('members add acme ann@acme.example --role owner')).toMatchObject({ code: 0 });
  expect(await run('members add acme bob@acme.example')).toMatchObject({ code: 0 });
  expect((await run('members add acme bob@acme.example --role viewer')).output).toMatch(
    /ann@acme\.example {2}owner {2}active\n.*bob@acme\.example {2}viewer {2}active\n$/,
  );
  expect(await run('members add acme bob@acme.example --role dragon')).toMatchObject({ code: 1 });
  expect((await run('members remove acme ann@acme.example')).errors).toMatch(/last owner/);
  expect((await run('members remove acme bob@acme.example')).output).not.toMatch(/bob/);

  const ofAcme = 'organization-members add acme';
  expect(await run(`${ofAcme} ann@acme.example --role owner`)).toMatchObject({ code: 0 });
  expect((await run(`${ofAcme} bob@acme.example`)).output).toMatch(/bob@acme\.example {2}viewer/);
  expect((await run(`${ofAcme} bob@acme.example --role billing`)).output).toMatch(
    /bob@acme\.example {2}billing/,
  );
  expect((await run(`${ofAcme} bob@acme.example --role dragon`)).errors).toMatch(
    /owner, admin, billing, viewer/,
  );
  expect((await run('organization-members remove acme ann@acme.example')).errors).toMatch(/last owner/);
  expect((await run('organization-members remove acme bob@acme.example')).output).not.toMatch(/bob/);
  expect((await run('organizations second-factor acme required')).output).toMatch(/second factor required/);
  expect(await run('organizations second-factor acme maybe')).toMatchObject({ code: 2 });
  const organizations: { slug: string }[] = JSON.parse((await run('organizations list --json')).output);
  expect(organizations.find(({ slug }) => slug === 'acme')).toMatchObject({ requiresSecondFactor: true });
  expect((await run('organization-members list nobody')).errors).toMatch(/no organization "nobody"/);

  expect(await run('users disable bob@acme.example')).toMatchObject({ code: 0 });
  expect(await run('users reset-second-factor bob@acme.example')).toMatchObject({ code: 0 });
  const everybody = JSON.parse((await run('users list --json')).output);
  // Where nobody but this machine reaches the service, there is the operator whom it makes itself.
  const listed = everybody.filter(({ email }: { email: string }) => email.endsWith('@acme.example'));
  expect(listed).toMatchObject([
    {
      email: 'ann@acme.example',
      status: 'active',
      isOperator: true,
      hasSecondFactor: false,
      isConfirmed: true,
    },
    { email: 'bob@acme.example', status: 'disabled', isOperator: false },
  ]);
  expect(JSON.stringify(listed)).not.toMatch(/argon2|sgl_/);
}, 240_000);
