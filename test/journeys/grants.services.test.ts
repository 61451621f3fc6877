import { builtinRoles } from '@swarmgate/contract/rest/permissions.ts';
import { describe, expect, test } from 'vitest';
import { newId, type Uuid } from '#domain/ids.ts';
import { createAuthenticator } from '#identity/authenticator.ts';
import { decide } from '#identity/decide.ts';
import { createGrants } from '#identity/grants.ts';
import { removeMember } from '#identity/members/members.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { builtinPermissions, expandPermissions } from '#identity/roles.ts';
import { eventually } from '../support/eventually.ts';
import { type SomePeople, somePeople } from '../support/some-people.ts';

const operator = { kind: 'operator' } as const;

const runs = ({ database }: SomePeople, userId: Uuid, organizationId: Uuid, role: string) =>
  database.asOwner((client) =>
    client.query(
      'INSERT INTO identity.organization_members (user_id, organization_id, role) VALUES ($1, $2, $3)',
      [userId, organizationId, role],
    ),
  );

describe('in a tenant, somebody may do', () => {
  test('what their built-in role permits', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    for (const builtin of builtinRoles) {
      const userId = await people.member(`${builtin}@acme.example`, tenant, { builtin });
      expect(await people.grants.grantOf(userId, tenant)).toMatchObject({
        permissions: expandPermissions(builtinPermissions[builtin]),
        source: `the role ${builtin}`,
        roles: [{ kind: 'builtin', name: builtin }],
      });
    }
  });

  test('what a role of its own permits, and what it names that is none, permits nothing', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const roleId = await people.role(tenant, 'answerers', [
      'conversations:write',
      'dragons:admin' as 'tools:admin',
    ]);
    const userId = await people.member('ann@acme.example', tenant, { roleId });
    expect(await people.grants.grantOf(userId, tenant)).toMatchObject({
      permissions: new Set(['conversations:write', 'conversations:read']),
      source: `the tenant's role answerers`,
    });
  });

  test('what owners and admins of its organization may, in each of its tenants and no other', async () => {
    const people = await somePeople();
    const [acme, other] = [await people.organization(2), await people.organization()];
    for (const role of ['owner', 'admin', 'billing', 'viewer']) {
      const userId = await people.person(`${role}@acme.example`);
      await runs(people, userId, acme.id, role);
      for (const tenant of acme.tenants) {
        const grant = await people.grants.grantOf(userId, tenant);
        if (role === 'owner' || role === 'admin')
          expect(grant?.permissions).toEqual(expandPermissions(builtinPermissions[role]));
        else expect(grant).toBeUndefined();
      }
      expect(await people.grants.grantOf(userId, other.tenant)).toBeUndefined();
    }
  });

  test('all of what they are there, by either way', async () => {
    const people = await somePeople();
    const { id, tenant } = await people.organization();
    const userId = await people.member('ann@acme.example', tenant, { builtin: 'viewer' });
    await runs(people, userId, id, 'admin');
    expect(await people.grants.grantOf(userId, tenant)).toMatchObject({
      permissions: expandPermissions(builtinPermissions.admin),
      source: 'the role viewer and the role admin of the organization',
    });
  });

  test('nothing, where they are not members, were removed or are disabled; nor has an operator a say', async () => {
    const people = await somePeople();
    const { tenants } = await people.organization(2);
    const [ours, theirs] = tenants as [Uuid, Uuid];
    await people.member('ann@acme.example', ours, { builtin: 'owner' });
    const bob = await people.member('bob@acme.example', ours, { builtin: 'owner' });
    const operatorId = await people.person('op@acme.example', { isOperator: true });
    const nothing = async (userId: Uuid, tenantId: Uuid) =>
      expect(await people.grants.grantOf(userId, tenantId)).toBeUndefined();
    await nothing(bob, theirs);
    await nothing(bob, newId());
    await nothing(newId(), ours);
    await nothing(operatorId, ours);
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, bob, 'disabled'));
    await nothing(bob, ours);
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, bob, 'active'));
    expect(await people.grants.grantOf(bob, ours)).toBeDefined();
    await removeMember(people.parts, { tenantId: ours, userId: bob, by: operator });
    await nothing(bob, ours);
  });

  test('nothing more, within a second or so of having been removed', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const bob = await people.member('bob@acme.example', tenant, { builtin: 'member' });
    const elsewhere = createGrants(people.parts.scopes);
    expect(await elsewhere.grantOf(bob, tenant)).toBeDefined();
    await removeMember(people.parts, { tenantId: tenant, userId: bob, by: operator });
    const removedAt = performance.now();
    await eventually(async () => expect(await elsewhere.grantOf(bob, tenant)).toBeUndefined());
    expect(performance.now() - removedAt).toBeLessThan(3_000);
  });
});

describe('before a second factor is shown', () => {
  const user = (id: Uuid, hasSecondFactor: boolean) => ({
    kind: 'user' as const,
    id,
    via: 'session' as const,
    sessionId: newId(),
    hasSecondFactor,
    isSecondFactorAsked: true,
    isByOwnFactor: true,
    isOperator: false,
  });

  test('who may do what admins do, may do nothing, and is told so', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const roleId = await people.role(tenant, 'inviters', ['members:write']);
    const roles = [{ builtin: 'owner' }, { builtin: 'admin' }, { roleId }] as const;
    for (const [index, role] of roles.entries()) {
      const userId = await people.member(`person-${index}@acme.example`, tenant, role);
      const grant = await people.grants.grantFor(user(userId, false), tenant);
      expect(grant?.permissions.size).toBe(0);
      expect(decide(grant, 'members:read')).toMatchObject({
        allowed: false,
        code: 'missing_permission',
        reason: expect.stringContaining('until a second factor is shown'),
      });
      expect(decide(await people.grants.grantFor(user(userId, true), tenant), 'members:read').allowed).toBe(
        true,
      );
    }
  });

  test('others may do what they may', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const roleId = await people.role(tenant, 'answerers', ['conversations:write', 'agents:write']);
    const roles = [{ builtin: 'member' }, { builtin: 'viewer' }, { roleId }] as const;
    for (const [index, role] of roles.entries()) {
      const userId = await people.member(`person-${index}@acme.example`, tenant, role);
      const grant = await people.grants.grantFor(user(userId, false), tenant);
      expect(decide(grant, 'conversations:read').allowed).toBe(true);
    }
  });

  test('it is nothing where nobody is asked for one, unless it comes from elsewhere', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    await people.member('ann@acme.example', tenant, { builtin: 'owner' });
    const { token: sessionToken } = await people.signedIn('ann@acme.example');
    const { sessions, accessTokens } = people;
    const authenticate = createAuthenticator({ sessions, accessTokens, secondFactorOf: 'nobody' });
    const mayEndIt = async (from?: { isFromThisMachine: boolean }) => {
      const principal = await authenticate({ sessionToken }, from);
      return principal && decide(await people.grants.grantFor(principal, tenant), 'tenant:admin').allowed;
    };
    expect(await mayEndIt({ isFromThisMachine: true })).toBe(true);
    expect(await mayEndIt({ isFromThisMachine: false })).toBe(false);
    expect(await mayEndIt()).toBe(false);
  });
});
