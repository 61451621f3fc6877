import { api } from '@swarmgate/contract/rest/api.ts';
import { pathIdPrefixes } from '@swarmgate/contract/rest/ids.ts';
import type { Operation } from '@swarmgate/contract/rest/operation.ts';
import { organizationPermissions } from '@swarmgate/contract/rest/organization-permissions.ts';
import { describe, expect, test } from 'vitest';
import { installationTrail } from '#audit/audit-trail.ts';
import type { Uuid } from '#domain/ids.ts';
import { acceptInvitation } from '#identity/members/accept-invitation.ts';
import { invite } from '#identity/members/invite.ts';
import { createOrganizationGrants } from '#identity/organizations/organization-grants.ts';
import { inviteToOrganization } from '#identity/organizations/organization-invitations.ts';
import {
  addOrganizationMember,
  changeOrganizationRole,
  removeOrganizationMember,
} from '#identity/organizations/organization-members.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { anOrganizer, aPersonSignedIn, organizationIdOf } from '../support/a-browser.ts';
import { sharedService } from '../support/a-service.ts';
import { anApiCaller, callerOf } from '../support/an-api-caller.ts';
import { atHome, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const service = sharedService({
  tenants: [{ slug: 'shop' }, { slug: 'elsewhere', organization: 'globex' }],
});
const someId = '0123456789abcdef0123456789abcdef';

describe('whoever calls for an organization', () => {
  const every = Object.entries<Operation>(api).filter(
    ([, { path, needs }]) => path.includes('{organizationId}') && needs !== 'an-operator',
  );
  const pathOf = ({ path }: Operation, organizationId: string) =>
    path
      .replace('{organizationId}', organizationId)
      .replaceAll(
        /\{(\w+)\}/g,
        (_, name: string) => `${pathIdPrefixes[name as keyof typeof pathIdPrefixes]}_${someId}`,
      );

  test.each(every)(
    '%s: says what it needs of an organization, and is refused without credentials',
    async (_, operation) => {
      expect(organizationPermissions).toContain(operation.needs);
      const organizationId = await organizationIdOf(service(), 'acme');
      const path = pathOf(operation, organizationId);
      expect(await callerOf(service())(operation.method.toUpperCase(), path)).toMatchObject({
        status: 401,
        body: { code: 'credentials_missing' },
      });
    },
  );

  test('with nothing permitted is refused, and that is on the trail', async () => {
    const viewer = await anOrganizer(service(), { organization: 'acme', role: 'viewer' });
    const organizationId = await organizationIdOf(service(), 'acme');
    for (const [name, operation] of every) {
      if (operation.needs === 'organization:read') continue;
      const path = pathOf(operation, organizationId);
      expect([name, await viewer.call(operation.method.toUpperCase(), path)]).toMatchObject([
        name,
        { status: 403, body: { code: 'forbidden' } },
      ]);
      expect(await lastTold()).toMatchObject({
        ...{ action: name, outcome: 'refused', permission: operation.needs, resource_kind: 'organizations' },
      });
    }
  });

  test('finds another one’s as what is not there, whoever they are in their own', async () => {
    const owner = await anOrganizer(service(), { organization: 'acme', role: 'owner' });
    const key = await anApiCaller(service(), { role: 'owner' });
    const { body: ofTenant } = await owner.call('POST', '/tokens', { body: { tenantId: key.tenantId } });
    const [foreign, own] = [
      await organizationIdOf(service(), 'globex'),
      await organizationIdOf(service(), 'acme'),
    ];
    for (const [name, operation] of every) {
      const method = operation.method.toUpperCase();
      const answers = [
        await owner.call(method, pathOf(operation, foreign)),
        await owner.call(method, pathOf(operation, `org_${someId}`)),
        await owner.call(method, pathOf(operation, 'org_1')),
        // Neither is of the organization.
        await key.call(method, pathOf(operation, own)),
        await callerOf(service(), ofTenant.accessToken)(method, pathOf(operation, own)),
      ];
      for (const { status, body } of answers)
        expect([name, status, { ...body, requestId: '' }]).toEqual([
          name,
          404,
          { ...answers[0]?.body, requestId: '' },
        ]);
    }
  });

  test('with a token within a scope may do nothing with it', async () => {
    const owner = await anOrganizer(service(), { organization: 'acme', role: 'owner' });
    const { body } = await owner.call('POST', '/tokens', { body: { scope: ['members:read'] } });
    const path = `/organizations/${await organizationIdOf(service(), 'acme')}`;
    expect(await callerOf(service(), body.accessToken)('GET', path)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/scope of the token/) },
    });
  });

  test('and is nothing in it, finds it as what is not there', async () => {
    const member = await aPersonSignedIn(service(), { email: 'ann@example.com', tenant: 'shop' });
    const path = `/organizations/${await organizationIdOf(service(), 'acme')}`;
    expect(await member.call('GET', path)).toMatchObject({ status: 404 });
  });
});

async function lastTold() {
  const [event] = await service().app.storage.scopes.inIdentity((unit) =>
    unit.sql<Record<string, unknown>>(
      'SELECT * FROM swarmgate.audit_events WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1',
      [installationTrail],
    ),
  );
  return event;
}

const operator = { kind: 'operator' } as const;
type Role = Parameters<typeof addOrganizationMember>[1]['role'];

async function anOrganization(people: SomePeople, roles: readonly Role[]) {
  const { id: organizationId, tenant } = await people.organization();
  const members: Uuid[] = [];
  for (const [index, role] of roles.entries()) {
    const email = `${role}-${index}@acme.example`;
    await people.person(email);
    const userId = await addOrganizationMember(people.parts, { organizationId, email, role });
    if (!userId) throw new Error('They are a member already.');
    members.push(userId);
  }
  return { organizationId, tenant, members };
}

describe('members of an organization', () => {
  test('of two owners who make each other less at the same moment, one remains', async () => {
    const people = await somePeople();
    for (let round = 0; round < 5; round++) {
      const { organizationId, members } = await anOrganization(people, []);
      for (const name of ['a', 'b']) {
        const email = `${name}-${round}@acme.example`;
        await people.person(email);
        const added = await addOrganizationMember(people.parts, { organizationId, email, role: 'owner' });
        if (added) members.push(added);
      }
      const [a, b] = members as [Uuid, Uuid];
      const outcomes = await Promise.all([
        changeOrganizationRole(people.parts, {
          organizationId,
          userId: b,
          role: 'viewer',
          by: { kind: 'user', id: a },
        }),
        removeOrganizationMember(people.parts, { organizationId, userId: a, by: { kind: 'user', id: b } }),
      ]);
      expect(outcomes.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    }
  });

  test('who is disabled is no owner who remains', async () => {
    const people = await somePeople();
    const { organizationId, members } = await anOrganization(people, ['owner', 'owner']);
    const [first, second] = members as [Uuid, Uuid];
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, second, 'disabled'));
    expect(
      await removeOrganizationMember(people.parts, { organizationId, userId: first, by: operator }),
    ).toEqual({ outcome: 'last_owner' });
  });

  test.each<[Role, Role, boolean]>([
    ['owner', 'owner', true],
    ['admin', 'owner', false],
    ['admin', 'admin', true],
    ['admin', 'billing', true],
    ['billing', 'viewer', false],
    ['viewer', 'viewer', false],
  ])('%s may ask somebody to become %s: %s', async (mine, role, may) => {
    const people = await somePeople();
    const { organizationId, members } = await anOrganization(people, ['owner', mine]);
    const by = { kind: 'user', id: members[1] as Uuid } as const;
    const invited = await inviteToOrganization(
      people.parts,
      { organizationId, email: 'new@acme.example', role, by },
      atHome,
    );
    expect(invited.outcome).toBe(may ? 'invited' : 'beyond_own_rights');
  });

  test('an invitation is worth nothing once whoever asked is less', async () => {
    const people = await somePeople();
    const { organizationId, members } = await anOrganization(people, ['owner', 'admin']);
    const admin = members[1] as Uuid;
    const by = { kind: 'user', id: admin } as const;
    const invited = await inviteToOrganization(
      people.parts,
      { organizationId, email: 'new@acme.example', role: 'admin', by },
      atHome,
    );
    if (invited.outcome !== 'invited') throw new Error(invited.outcome);
    await changeOrganizationRole(people.parts, {
      organizationId,
      userId: admin,
      role: 'viewer',
      by: operator,
    });
    const as = { name: 'New', password: goodPassword };
    expect(await acceptInvitation(people.parts, { token: invited.token, as }, atHome)).toEqual({
      outcome: 'refused',
    });
    expect(
      await people.parts.scopes.inIdentity((unit) =>
        unit.sql(`SELECT 1 FROM identity.users WHERE email = 'new@acme.example'`),
      ),
    ).toEqual([]);
  });

  test('an account that a tenant’s invitation has made is worth nothing in its organization before it is confirmed', async () => {
    const people = await somePeople();
    const { organizationId, tenant } = await anOrganization(people, ['owner']);
    const email = 'victim@acme.example';
    const asked = await invite(
      people.parts,
      { tenantId: tenant, email, role: { builtin: 'viewer' }, by: operator },
      atHome,
    );
    if (asked.outcome !== 'invited') throw new Error(asked.outcome);
    const made = await acceptInvitation(
      people.parts,
      { token: asked.token, as: { name: 'Not them', password: goodPassword } },
      atHome,
    );
    if (made.outcome !== 'accepted') throw new Error(made.outcome);

    await expect(
      addOrganizationMember(people.parts, { organizationId, email, role: 'admin' }),
    ).rejects.toMatchObject({ code: 'address_unconfirmed' });
    const above = await inviteToOrganization(
      people.parts,
      { organizationId, email, role: 'admin', by: operator },
      atHome,
    );
    if (above.outcome !== 'invited') throw new Error(above.outcome);
    expect(
      await acceptInvitation(people.parts, { token: above.token, as: { userId: made.userId } }, atHome),
    ).toEqual({ outcome: 'unconfirmed_address' });
    await people.parts.scopes.inIdentity((unit) =>
      unit.sql('UPDATE identity.users SET email_verified_at = now() WHERE id = $1', [made.userId]),
    );
    expect(
      await acceptInvitation(people.parts, { token: above.token, as: { userId: made.userId } }, atHome),
    ).toMatchObject({ outcome: 'accepted', organizationId });
  });

  test('an invitation to an organization is none to a tenant of the same id, and good once', async () => {
    const people = await somePeople();
    const { organizationId } = await anOrganization(people, ['owner']);
    const invited = await inviteToOrganization(
      people.parts,
      { organizationId, email: 'new@acme.example', role: 'viewer', by: operator },
      atHome,
    );
    if (invited.outcome !== 'invited') throw new Error(invited.outcome);
    const as = { name: 'New', password: goodPassword };
    const accept = (token: string) => acceptInvitation(people.parts, { token, as }, atHome);
    expect(await accept(invited.token.replace('.o', '.'))).toEqual({ outcome: 'refused' });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => accept(invited.token)));
    expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(await people.told()).toContain('invitation.accepted');
  });

  test('are told of with who did it, and by no name', async () => {
    const people = await somePeople();
    const { organizationId, members } = await anOrganization(people, ['owner', 'viewer']);
    const [owner, viewer] = members as [Uuid, Uuid];
    const by = { kind: 'user', id: owner } as const;
    await changeOrganizationRole(
      people.parts,
      { organizationId, userId: viewer, role: 'billing', by },
      atHome,
    );
    const told = await people.parts.scopes.inIdentity((unit) =>
      unit.sql(
        `SELECT action, actor_id, detail ->> 'from' AS "from", detail ->> 'to' AS "to" FROM swarmgate.audit_events
           WHERE action LIKE 'organization_member.%' ORDER BY id`,
      ),
    );
    expect(told).toMatchObject([
      { action: 'organization_member.added' },
      { action: 'organization_member.added' },
      { action: 'organization_member.role_changed', actor_id: owner, from: 'viewer', to: 'billing' },
    ]);
  });
});

describe('what somebody may do with an organization', () => {
  test('is what their role permits, and nothing in another one', async () => {
    const people = await somePeople();
    const roles = ['owner', 'admin', 'billing', 'viewer'] as const;
    const { organizationId, members } = await anOrganization(people, roles);
    const other = await people.organization();
    const grants = createOrganizationGrants(people.parts.scopes, { validMs: 0 });
    const user = (id: Uuid) => ({
      ...{ kind: 'user' as const, id, via: 'session' as const, sessionId: id },
      ...{ hasSecondFactor: true, isSecondFactorAsked: true, isByOwnFactor: true, isOperator: false },
    });
    const counts: number[] = [];
    for (const id of members) {
      const grant = await grants.grantFor(user(id), organizationId);
      expect(grant?.permissions.has('organization:admin')).toBe(false);
      counts.push(grant?.permissions.size ?? 0);
      expect(await grants.grantFor(user(id), other.id)).toBeUndefined();
    }
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    const stranger = await people.person('stranger@acme.example');
    expect(await grants.grantFor(user(stranger), organizationId)).toBeUndefined();
    expect(await grants.grantFor({ ...user(stranger), isOperator: true }, organizationId)).toMatchObject({
      permissions: new Set(organizationPermissions),
    });
  });

  test('is nothing before a second factor where they decide over others, or where it is asked of everybody', async () => {
    const people = await somePeople();
    const { organizationId, members } = await anOrganization(people, ['owner', 'viewer']);
    const grants = createOrganizationGrants(people.parts.scopes, { validMs: 0 });
    const without = (id: Uuid) => ({
      ...{ kind: 'user' as const, id, via: 'session' as const, sessionId: id },
      ...{ hasSecondFactor: false, isSecondFactorAsked: true, isByOwnFactor: true, isOperator: false },
    });
    const sizes = () =>
      Promise.all(
        members.map(async (id) => (await grants.grantFor(without(id), organizationId))?.permissions.size),
      );
    expect(await sizes()).toEqual([0, 1]);
    await people.database.asOwner((client) =>
      client.query('UPDATE directory.organizations SET requires_second_factor = true WHERE id = $1', [
        organizationId,
      ]),
    );
    expect(await sizes()).toEqual([0, 0]);
  });
});
