import type { memberOperations } from '@swarmgate/contract/rest/members.ts';
import { type BuiltinRole, builtinRoles, type Permission } from '@swarmgate/contract/rest/permissions.ts';
import { AppError } from '#domain/errors.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import type { Principal } from '#identity/principal.ts';
import { ProblemError } from '#kernel/problem.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound, versionChanged } from './refusals.ts';

type RoleChoice = { builtin: BuiltinRole } | { roleId: Uuid };

/** Who belongs to a tenant. The use cases tell the trail themselves, in the commit of each change. */
export function memberHandlers(people: () => Identity): HandlersOf<typeof memberOperations> {
  return {
    listMembers: {
      async alone({ tenantId }) {
        const members = await people().listMembers(tenantId);
        return {
          body: {
            items: members.map(({ userId, role, since, email, name, status, roleName, version }) => ({
              ...{ userId: toWire('user', userId), email, name, status, roleName, version },
              ...{ role: showRole(role), since: since.toISOString() },
            })),
          },
        };
      },
    },
    changeMemberRole: {
      async tellsItself({ tenantId, ids, principal, body, seenVersion, client }) {
        const role = readRole(body.role);
        const by = personOf(principal);
        const wish = { tenantId, userId: ids.userId, role, by, ...versionOf(seenVersion) };
        refuseUnlessDone(await people().changeMemberRole(wish, client));
        return { body: undefined };
      },
    },
    removeMember: {
      async tellsItself({ tenantId, ids, principal, seenVersion, client }) {
        const wish = { tenantId, userId: ids.userId, by: personOf(principal), ...versionOf(seenVersion) };
        refuseUnlessDone(await people().removeMember(wish, client));
        return { body: undefined };
      },
    },
    leaveTenant: {
      async tellsItself({ tenantId, principal, client }) {
        const by = personOf(principal);
        if (by.scope) throw forbidden('A token within a scope does not end the membership of who gave it.');
        refuseUnlessDone(await people().removeMember({ tenantId, userId: by.id, by }, client));
        return { body: undefined };
      },
    },
    listInvitations: {
      async alone({ tenantId }) {
        const invitations = await people().listInvitations(tenantId);
        return {
          body: {
            items: invitations.map(({ id, email, role, invitedBy, createdAt, expiresAt }) => ({
              ...{ id: toWire('invitation', id), email, role: showRole(role) },
              invitedBy: invitedBy === undefined ? null : toWire('user', invitedBy),
              ...{ createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() },
            })),
          },
        };
      },
    },
    invite: {
      async tellsItself({ tenantId, principal, body, client }) {
        const wish = { tenantId, email: body.email, role: readRole(body.role), by: personOf(principal) };
        const invited = await people().invite(wish, client).catch(explainEmail);
        if (invited.outcome !== 'invited') throw refusalOf(invited);
        const { id, token, expiresAt } = invited;
        return { body: { id: toWire('invitation', id), token, expiresAt: expiresAt.toISOString() } };
      },
    },
    revokeInvitation: {
      async tellsItself({ tenantId, ids, principal, client }) {
        const wish = { tenantId, id: ids.invitationId, by: personOf(principal) };
        if (!(await people().revokeInvitation(wish, client))) throw notFound();
        return { body: undefined };
      },
    },
  };
}

/** What a key may hand on is not what its maker may: members are made by people. @throws {ProblemError} 403 */
export function personOf(principal: Principal): { kind: 'user'; id: Uuid; scope?: ReadonlySet<Permission> } {
  if (principal.kind !== 'user')
    throw forbidden(
      'People invite and change members, and API keys do not, nor tokens of other issuers: sign in, or use an access token.',
    );
  return { kind: 'user', id: principal.id, ...(principal.scope && { scope: principal.scope }) };
}

function versionOf(seenVersion: number | undefined) {
  return seenVersion === undefined ? {} : { ifVersion: seenVersion };
}

function isBuiltin(role: string): role is BuiltinRole {
  return (builtinRoles as readonly string[]).includes(role);
}

function readRole(role: string): RoleChoice {
  if (isBuiltin(role)) return { builtin: role };
  const roleId = fromWire('role', role);
  if (!roleId) throw unknownRole();
  return { roleId };
}

function showRole(role: RoleChoice): string {
  return 'builtin' in role ? role.builtin : toWire('role', role.roleId);
}

type Refused =
  | { outcome: 'unknown_member' | 'unknown_role' | 'changed_meanwhile' | 'last_owner' | 'already_member' }
  | { outcome: 'beyond_own_rights'; lacked: readonly string[] };

function refuseUnlessDone(changed: { outcome: 'done' } | Refused): void {
  if (changed.outcome !== 'done') throw refusalOf(changed);
}

function refusalOf(refused: Refused): ProblemError {
  switch (refused.outcome) {
    case 'unknown_member':
      return notFound();
    case 'unknown_role':
      return unknownRole();
    case 'changed_meanwhile':
      return versionChanged();
    case 'already_member':
      return conflict('already_member', 'Somebody with that address is a member already.');
    case 'last_owner':
      return conflict('last_owner', 'A tenant keeps an owner: make somebody else one first.');
    case 'beyond_own_rights':
      return forbidden(`Nobody gives or takes what they have not: ${refused.lacked.join(', ')}.`);
  }
}

function unknownRole(): ProblemError {
  return conflict('unknown_role', 'There is no such role in this tenant.');
}

/** @throws {ProblemError} 400 for what is no address */
export function explainEmail(error: unknown): never {
  if (error instanceof AppError && error.code === 'bad_email')
    throw new ProblemError(400, error.code, 'Invalid request', error.message, {}, [
      { pointer: '/body/email', detail: error.message },
    ]);
  throw error;
}
