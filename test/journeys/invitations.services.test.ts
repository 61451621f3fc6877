import { builtinRoles, permissions } from '@swarmgate/contract/rest/permissions.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '#domain/ids.ts';
import { acceptInvitation } from '#identity/members/accept-invitation.ts';
import { invite, listInvitations, revokeInvitation } from '#identity/members/invite.ts';
import { keepMember } from '#identity/members/keep-member.ts';
import { addMember, changeMemberRole, listMembers, removeMember } from '#identity/members/members.ts';
import type { Granter, RoleChoice } from '#identity/members/role-choice.ts';
import { setUserStatus } from '#identity/people/users.ts';
import { expandPermissions } from '#identity/roles.ts';
import { signIn } from '#identity/sign-in/sign-in.ts';
import {
  type LinkPurpose,
  makeSignInLink,
  setPasswordByLink,
  signInByLink,
} from '#identity/sign-in/sign-in-link.ts';
import { deleteRole } from '#identity/tenant-roles.ts';
import { atHome, goodPassword, type SomePeople, somePeople } from '../support/some-people.ts';

const operator: Granter = { kind: 'operator' };
const viewer: RoleChoice = { builtin: 'viewer' };

async function invited(
  people: SomePeople,
  tenantId: Uuid,
  {
    email = 'bob@acme.example',
    role = viewer,
    by = operator,
  }: { email?: string; role?: RoleChoice; by?: Granter } = {},
) {
  const made = await invite(people.parts, { tenantId, email, role, by }, atHome);
  if (made.outcome !== 'invited') throw new Error(`Nobody was invited: ${made.outcome}.`);
  return made;
}

const accept = (people: SomePeople, token: string, userId: Uuid) =>
  acceptInvitation(people.parts, { token, as: { userId } }, atHome);

const byUser = (id: Uuid): Granter => ({ kind: 'user', id });

describe('an invitation', () => {
  test('makes its person a member, once', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const bob = await people.person('bob@acme.example');
    const { token } = await invited(people, tenant, { email: ' BOB@acme.example' });
    expect(await accept(people, token, bob)).toEqual({ outcome: 'accepted', tenantId: tenant, userId: bob });
    expect((await people.grants.grantOf(bob, tenant))?.source).toBe('the role viewer');
    expect(await accept(people, token, bob)).toEqual({ outcome: 'refused' });
    expect(await listInvitations(people.parts, tenant)).toEqual([]);
  });

  test('accepted a thousand times at once gives exactly one membership', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const bob = await people.person('bob@acme.example');
    const { token } = await invited(people, tenant);
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => accept(people, token, bob)));
    expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'refused')).toHaveLength(999);
    expect(await listMembers(people.parts, tenant)).toHaveLength(1);
  }, 120_000);

  test('makes an account for somebody new, who can sign in then', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const { token } = await invited(people, tenant);
    const join = (password: string) =>
      acceptInvitation(people.parts, { token, as: { name: 'Bob', password } }, atHome);
    expect(await join('short')).toEqual({ outcome: 'not_good_enough', fault: 'too_short' });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => join(goodPassword)));
    expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(
      await signIn(people.parts, { email: 'bob@acme.example', password: goodPassword }, atHome),
    ).toMatchObject({
      outcome: 'signed_in',
    });
  });

  test('is for its address: nobody else’s account takes it, and no new one is made beside the one there is', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const eve = await people.person('eve@acme.example');
    await people.person('bob@acme.example');
    const { token } = await invited(people, tenant, { role: { builtin: 'admin' } });
    expect(await accept(people, token, eve)).toEqual({ outcome: 'other_address' });
    expect(
      await acceptInvitation(people.parts, { token, as: { name: 'Eve', password: goodPassword } }, atHome),
    ).toEqual({ outcome: 'has_account' });
    expect(await listMembers(people.parts, tenant)).toEqual([]);
  });

  test('does not tell by a bad password whether its address has an account', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    await people.person('bob@acme.example');
    for (const email of ['bob@acme.example', 'nobody@acme.example']) {
      const { token } = await invited(people, tenant, { email });
      expect(
        await acceptInvitation(people.parts, { token, as: { name: 'X', password: 'short' } }, atHome),
      ).toEqual({ outcome: 'not_good_enough', fault: 'too_short' });
    }
  });

  test('is good no more when it was taken back, was made anew, or is a week old', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const bob = await people.person('bob@acme.example');
    const old = await invited(people, tenant);
    const newer = await invited(people, tenant);
    expect(await accept(people, old.token, bob)).toEqual({ outcome: 'refused' });
    expect(
      await revokeInvitation(people.parts, { tenantId: tenant, id: newer.id, by: operator }, atHome),
    ).toBe(true);
    expect(
      await revokeInvitation(people.parts, { tenantId: tenant, id: newer.id, by: operator }, atHome),
    ).toBe(false);
    expect(await accept(people, newer.token, bob)).toEqual({ outcome: 'refused' });
    const late = await invited(people, tenant);
    await people.database.asOwner((client) =>
      client.query(`UPDATE identity.invitations SET expires_at = expires_at - interval '7 days'`),
    );
    expect(await accept(people, late.token, bob)).toEqual({ outcome: 'refused' });
  });

  test('is not found by a token with another tenant, another row or another secret in it', async () => {
    const people = await somePeople();
    const { tenants } = await people.organization(2);
    const [ours, theirs] = tenants as [Uuid, Uuid];
    const bob = await people.person('bob@acme.example');
    const [here, there] = [await invited(people, ours), await invited(people, theirs)];
    const [secret = '', names = ''] = here.token.split('.');
    const [otherSecret = '', otherNames = ''] = there.token.split('.');
    const forged = [
      '',
      secret,
      `.${names}`,
      `${secret}.${otherNames}`,
      `${otherSecret}.${names}`,
      `${secret}.${otherNames.slice(0, 32)}${names.slice(32)}`,
      `${secret}.${names.toUpperCase()}`,
      `${here.token}.x`,
      `${here.token}0`,
      here.token.replace('sgi_', 'sgs_'),
    ];
    for (const token of forged) expect(await accept(people, token, bob)).toEqual({ outcome: 'refused' });
    expect(await accept(people, here.token, bob)).toMatchObject({ outcome: 'accepted', tenantId: ours });
  });

  test('keeps its role from being removed for as long as it is open', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const roleId = await people.role(tenant, 'helper', ['agents:read']);
    const { id } = await invited(people, tenant, { role: { roleId } });
    const remove = () => people.parts.scopes.inTenant(tenant, (unit) => deleteRole(unit, roleId));
    expect(await remove()).toBe(false);
    expect(await listInvitations(people.parts, tenant)).toMatchObject([{ id }]);
    await revokeInvitation(people.parts, { tenantId: tenant, id, by: operator }, atHome);
    expect(await remove()).toBe(true);
  });

  test('is not needed by a member, and changes nothing of what they are', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const bob = await people.member('bob@acme.example', tenant, { builtin: 'admin' });
    expect(
      await invite(
        people.parts,
        { tenantId: tenant, email: 'bob@acme.example', role: viewer, by: operator },
        atHome,
      ),
    ).toEqual({ outcome: 'already_member' });
    const carl = await people.person('carl@acme.example');
    const { token } = await invited(people, tenant, {
      email: 'carl@acme.example',
      role: { builtin: 'owner' },
    });
    await people.database.asOwner((client) =>
      client.query(
        `INSERT INTO identity.memberships (tenant_id, user_id, builtin_role) VALUES ($1, $2, 'viewer')`,
        [tenant, carl],
      ),
    );
    expect(await accept(people, token, carl)).toEqual({ outcome: 'already_member' });
    expect((await people.grants.grantOf(carl, tenant))?.source).toBe('the role viewer');
    expect((await people.grants.grantOf(bob, tenant))?.source).toBe('the role admin');
  });
});

describe('an account that whoever invited made for somebody else’s address', () => {
  const victim = 'victim@acme.example';
  const eves = 'eve knows this one well';

  /** Eve, who may invite in one tenant, has taken the account of an address that is not hers. */
  async function taken() {
    const people = await somePeople();
    const { tenants } = await people.organization(2);
    const [ours, other] = tenants as [Uuid, Uuid];
    const eve = await people.member('eve@acme.example', ours, { builtin: 'admin' });
    const { token } = await invited(people, ours, { email: victim, by: byUser(eve) });
    const accepted = await acceptInvitation(
      people.parts,
      { token, as: { name: 'V', password: eves } },
      atHome,
    );
    if (accepted.outcome !== 'accepted') throw new Error(accepted.outcome);
    const signed = await signIn(people.parts, { email: victim, password: eves }, atHome);
    if (signed.outcome !== 'signed_in') throw new Error(signed.outcome);
    const app = await people.withApp(signed.session);
    const linkFor = (purpose: LinkPurpose) =>
      people.parts.scopes.inIdentity((unit) => makeSignInLink(unit, accepted.userId, purpose));
    return { people, ours, other, userId: accepted.userId, ...app, linkFor };
  }

  const unconfirmed = { code: 'address_unconfirmed', message: expect.stringMatching(/swarmgate users link/) };
  const owner = { builtin: 'owner' } as const;

  test('inherits nothing that an operator or another tenant means for the address', async () => {
    const { people, ours, other, userId } = await taken();
    const keep = (tenantId: Uuid) =>
      keepMember(people.parts, { tenantId, email: victim, role: 'owner' }, { dryRun: false });
    await expect(addMember(people.parts, { tenantId: other, userId, role: owner })).rejects.toMatchObject(
      unconfirmed,
    );
    await expect(addMember(people.parts, { tenantId: ours, userId, role: owner })).rejects.toMatchObject(
      unconfirmed,
    );
    await expect(keep(other)).rejects.toMatchObject(unconfirmed);
    await expect(keep(ours)).rejects.toMatchObject(unconfirmed);
    const there = await invited(people, other, { email: victim });
    expect(await accept(people, there.token, userId)).toEqual({ outcome: 'unconfirmed_address' });
    expect(await people.grants.grantOf(userId, other)).toBeUndefined();
    expect((await people.grants.grantOf(userId, ours))?.source).toBe('the role viewer');
    // It was undone as a whole: whoever the address belongs to can take it still.
    expect(await listInvitations(people.parts, other)).toHaveLength(1);
  });

  test('may come back to the tenant that it was born in', async () => {
    const { people, ours, userId } = await taken();
    await removeMember(people.parts, { tenantId: ours, userId, by: operator });
    const again = await invited(people, ours, { email: victim });
    expect(await accept(people, again.token, userId)).toMatchObject({ outcome: 'accepted' });
  });

  test('is theirs from the moment they choose a password by an operator’s link, and nobody else’s', async () => {
    const { people, other, userId, session, linkFor } = await taken();
    const { token } = await linkFor('set_password');
    expect(await setPasswordByLink(people.parts, { token, password: goodPassword }, atHome)).toEqual({
      outcome: 'set',
    });
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    expect(await signIn(people.parts, { email: victim, password: eves }, atHome)).toEqual({
      outcome: 'refused',
    });
    const theirs = await people.signedIn(victim);
    expect(await people.found(theirs.token)).toMatchObject({ userId, mfaAtMs: null });
    expect(await people.told()).toContain('address.confirmed');
    expect(await addMember(people.parts, { tenantId: other, userId, role: owner })).toBe(true);

    // From here on it is as any other: a new password leaves the second factor what it is.
    await people.withApp(theirs);
    const next = await linkFor('set_password');
    await setPasswordByLink(people.parts, { token: next.token, password: goodPassword }, atHome);
    expect(await signIn(people.parts, { email: victim, password: goodPassword }, atHome)).toMatchObject({
      outcome: 'second_factor',
    });
  });

  test('and so it is when they sign in by one: what Eve signed in with is gone', async () => {
    const { people, other, userId, session, linkFor } = await taken();
    const { token } = await linkFor('sign_in');
    expect(await signInByLink(people.parts, token, atHome)).toMatchObject({ outcome: 'signed_in' });
    expect(await people.sessions.byToken(session.token)).toBeUndefined();
    expect(await signIn(people.parts, { email: victim, password: eves }, atHome)).toEqual({
      outcome: 'refused',
    });
    expect(await addMember(people.parts, { tenantId: other, userId, role: owner })).toBe(true);
  });
});

describe('nobody gives more than they hold', () => {
  test('not by inviting, whatever roles there are', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    let count = 0;
    const some = fc.subarray([...permissions], { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(some, some, async (held, given) => {
        count += 1;
        const [own, wanted] = [
          await people.role(tenant, `own-${count}`, [...held, 'members:write']),
          await people.role(tenant, `wanted-${count}`, given),
        ];
        const ann = await people.member(`ann-${count}@acme.example`, tenant, { roleId: own });
        const asked = await invite(
          people.parts,
          { tenantId: tenant, email: `new-${count}@acme.example`, role: { roleId: wanted }, by: byUser(ann) },
          atHome,
        );
        const mine = expandPermissions([...held, 'members:write']);
        const lacked = [...expandPermissions(given)].filter((permission) => !mine.has(permission));
        expect(asked).toMatchObject(
          lacked.length === 0
            ? { outcome: 'invited' }
            : { outcome: 'beyond_own_rights', lacked: expect.arrayContaining(lacked) },
        );
      }),
      { numRuns: 25 },
    );
  });

  test('an admin makes no owner, and neither invites, changes nor removes one', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const owner = await people.member('owner@acme.example', tenant, { builtin: 'owner' });
    const admin = await people.member('admin@acme.example', tenant, { builtin: 'admin' });
    const by = byUser(admin);
    const beyond = { outcome: 'beyond_own_rights', lacked: expect.arrayContaining(['tenant:admin']) };
    const owners: RoleChoice = { builtin: 'owner' };
    expect(
      await invite(people.parts, { tenantId: tenant, email: 'x@acme.example', role: owners, by }, atHome),
    ).toEqual(beyond);
    expect(
      await changeMemberRole(people.parts, { tenantId: tenant, userId: admin, role: owners, by }),
    ).toEqual(beyond);
    expect(
      await changeMemberRole(people.parts, { tenantId: tenant, userId: owner, role: viewer, by }),
    ).toEqual(beyond);
    expect(await removeMember(people.parts, { tenantId: tenant, userId: owner, by })).toEqual(beyond);
  });

  test('not a member, a viewer, a stranger, nor an owner of another tenant', async () => {
    const people = await somePeople();
    const { tenants } = await people.organization(2);
    const [ours, theirs] = tenants as [Uuid, Uuid];
    const granters = [await people.member('other@acme.example', theirs, { builtin: 'owner' })];
    for (const builtin of builtinRoles.slice(2))
      granters.push(await people.member(`${builtin}@acme.example`, ours, { builtin }));
    granters.push(await people.person('stranger@acme.example'));
    for (const id of granters)
      expect(
        await invite(
          people.parts,
          { tenantId: ours, email: 'x@acme.example', role: viewer, by: byUser(id) },
          atHome,
        ),
      ).toMatchObject({ outcome: 'beyond_own_rights' });
  });

  test('not when they hold it no more as it is accepted, nor when the role has grown since', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    await people.member('owner@acme.example', tenant, { builtin: 'owner' });
    const ann = await people.member('ann@acme.example', tenant, { builtin: 'admin' });
    const bob = await people.person('bob@acme.example');
    const roleId = await people.role(tenant, 'growing', ['agents:read']);
    const grown = await invited(people, tenant, { role: { roleId }, by: byUser(ann) });
    await people.database.asOwner((client) =>
      client.query(`UPDATE swarmgate.roles SET permissions = '{tenant:admin}' WHERE id = $1`, [roleId]),
    );
    expect(await accept(people, grown.token, bob)).toEqual({ outcome: 'refused' });

    const demoted = await invited(people, tenant, { role: { builtin: 'admin' }, by: byUser(ann) });
    await changeMemberRole(people.parts, { tenantId: tenant, userId: ann, role: viewer, by: operator });
    expect(await accept(people, demoted.token, bob)).toEqual({ outcome: 'refused' });
    expect(await people.grants.grantOf(bob, tenant)).toBeUndefined();
    // It was undone as a whole: the invitation is open still.
    expect(await listInvitations(people.parts, tenant)).toHaveLength(1);
  });
});

describe('the last owner', () => {
  const owner: RoleChoice = { builtin: 'owner' };

  test('remains: not changed, not removed, and does not leave', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    const ann = await people.member('ann@acme.example', tenant, owner);
    const disabled = await people.member('bob@acme.example', tenant, owner);
    await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, disabled, 'disabled'));
    for (const by of [operator, byUser(ann)]) {
      const wish = { tenantId: tenant, userId: ann, by };
      expect(await changeMemberRole(people.parts, { ...wish, role: viewer })).toEqual({
        outcome: 'last_owner',
      });
      expect(await removeMember(people.parts, wish)).toEqual({ outcome: 'last_owner' });
      expect(await changeMemberRole(people.parts, { ...wish, role: owner })).toEqual({ outcome: 'done' });
    }
    await people.member('carl@acme.example', tenant, owner);
    expect(await removeMember(people.parts, { tenantId: tenant, userId: ann, by: byUser(ann) })).toEqual({
      outcome: 'done',
    });
  });

  test('is one, also when two remove each other at the same moment', async () => {
    const people = await somePeople();
    const { tenant } = await people.organization();
    for (let round = 0; round < 5; round++) {
      const [ann, bob] = [
        await people.member(`ann-${round}@acme.example`, tenant, owner),
        await people.member(`bob-${round}@acme.example`, tenant, owner),
      ];
      const left = (await listMembers(people.parts, tenant)).filter(
        ({ userId }) => ![ann, bob].includes(userId),
      );
      for (const { userId } of left)
        await people.parts.scopes.inIdentity((unit) => setUserStatus(unit, userId, 'disabled'));
      const outcomes = await Promise.all([
        removeMember(people.parts, { tenantId: tenant, userId: ann, by: byUser(bob) }),
        removeMember(people.parts, { tenantId: tenant, userId: bob, by: byUser(ann) }),
      ]);
      expect(outcomes.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    }
  });
});

test('a membership that was changed meanwhile is not changed by what was looked at before', async () => {
  const people = await somePeople();
  const { tenant } = await people.organization();
  const bob = await people.member('bob@acme.example', tenant, viewer);
  const wish = { tenantId: tenant, userId: bob, by: operator, ifVersion: 1 };
  expect(await changeMemberRole(people.parts, { ...wish, role: { builtin: 'member' } })).toEqual({
    outcome: 'done',
  });
  expect(await removeMember(people.parts, wish)).toEqual({ outcome: 'changed_meanwhile' });
  expect(await listMembers(people.parts, tenant)).toMatchObject([{ roleName: 'member', version: 2 }]);
});
