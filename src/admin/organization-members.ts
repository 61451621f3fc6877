import type { organizationMemberOperations } from '@swarmgate/contract/rest/organization-members.ts';
import { type AuditTrail, installationTrail } from '#audit/audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import type { ProblemError } from '#kernel/problem.ts';
import type { HandlersOf, OrganizationAsked } from './handler.ts';
import { explainEmail, personOf } from './members.ts';
import { conflict, forbidden, notFound, versionChanged } from './refusals.ts';

/** Who runs an organization. The use cases tell the trail themselves, in the commit of each change. */
export function organizationMemberHandlers(
  people: () => Identity,
  trail: AuditTrail,
): HandlersOf<typeof organizationMemberOperations> {
  // What was looked at.
  const tellOf = ({ principal, organizationId, client }: OrganizationAsked, action: string) =>
    trail.note(installationTrail, {
      ...{ actor: { kind: principal.kind, id: principal.id }, action, outcome: 'allowed' },
      permission: 'organization-members:read',
      resource: { kind: 'organizations', id: toWire('organization', organizationId) },
      ...(client.requestId !== undefined && { requestId: client.requestId }),
      personal: {
        address: client.address,
        ...(client.userAgent !== undefined && { userAgent: client.userAgent }),
      },
    });

  return {
    listOrganizationMembers: {
      async tellsOfOrganization(asked) {
        const members = await people().listOrganizationMembers(asked.organizationId);
        await tellOf(asked, 'listOrganizationMembers');
        return {
          body: {
            items: members.map(({ userId, since, ...member }) => ({
              ...{ userId: toWire('user', userId), ...member, since: since.toISOString() },
            })),
          },
        };
      },
    },
    addOrganizationMember: {
      async tellsOfOrganization({ organizationId, principal, body, client }) {
        const by = { kind: 'operator', id: principal.id } as const;
        const userId = await people()
          .addOrganizationMember({ organizationId, ...body, by }, client)
          .catch(explainAccount);
        if (!userId) throw alreadyMember();
        return { body: { userId: toWire('user', userId) } };
      },
    },
    changeOrganizationMemberRole: {
      async tellsOfOrganization(asked) {
        const { organizationId, ids, body, seenVersion, client } = asked;
        const wish = { organizationId, userId: ids.userId, role: body.role, by: granterOf(asked) };
        refuseUnlessDone(
          await people().changeOrganizationRole({ ...wish, ...versionOf(seenVersion) }, client),
        );
        return { body: undefined };
      },
    },
    removeOrganizationMember: {
      async tellsOfOrganization(asked) {
        const { organizationId, ids, seenVersion, client } = asked;
        const wish = { organizationId, userId: ids.userId, by: granterOf(asked) };
        refuseUnlessDone(
          await people().removeOrganizationMember({ ...wish, ...versionOf(seenVersion) }, client),
        );
        return { body: undefined };
      },
    },
    leaveOrganization: {
      async tellsOfOrganization({ organizationId, principal, client }) {
        const { id } = personOf(principal);
        const wish = { organizationId, userId: id, by: { kind: 'user', id } } as const;
        refuseUnlessDone(await people().removeOrganizationMember(wish, client));
        return { body: undefined };
      },
    },
    listOrganizationInvitations: {
      async tellsOfOrganization(asked) {
        const invitations = await people().listOrganizationInvitations(asked.organizationId);
        await tellOf(asked, 'listOrganizationInvitations');
        return {
          body: {
            items: invitations.map(({ id, email, role, invitedBy, createdAt, expiresAt }) => ({
              ...{ id: toWire('organizationInvitation', id), email, role },
              invitedBy: invitedBy && toWire('user', invitedBy),
              ...{ createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() },
            })),
          },
        };
      },
    },
    inviteToOrganization: {
      async tellsOfOrganization(asked) {
        const { organizationId, body, client } = asked;
        const wish = { organizationId, ...body, by: granterOf(asked) };
        const invited = await people().inviteToOrganization(wish, client).catch(explainEmail);
        if (invited.outcome !== 'invited') throw refusalOf(invited);
        const { id, token, expiresAt } = invited;
        return {
          body: { id: toWire('organizationInvitation', id), token, expiresAt: expiresAt.toISOString() },
        };
      },
    },
    revokeOrganizationInvitation: {
      async tellsOfOrganization(asked) {
        const { organizationId, ids, client } = asked;
        const wish = { organizationId, id: ids.organizationInvitationId, by: granterOf(asked) };
        if (!(await people().revokeOrganizationInvitation(wish, client))) throw notFound();
        return { body: undefined };
      },
    },
  };
}

type Granter = { kind: 'user'; id: Uuid } | { kind: 'operator'; id: Uuid };

// An operator is bound by nothing of the organization's; whoever is not, by what they are in it at that moment.
function granterOf({ principal, grant }: Pick<OrganizationAsked, 'principal' | 'grant'>): Granter {
  const { id } = personOf(principal);
  return { kind: grant.permissions.has('organization:admin') ? 'operator' : 'user', id };
}

function versionOf(seenVersion: number | undefined) {
  return seenVersion === undefined ? {} : { ifVersion: seenVersion };
}

type Refused =
  | { outcome: 'unknown_member' | 'changed_meanwhile' | 'last_owner' | 'already_member' }
  | { outcome: 'beyond_own_rights'; lacked: readonly string[] };

function refuseUnlessDone(changed: { outcome: 'done' } | Refused): void {
  if (changed.outcome !== 'done') throw refusalOf(changed);
}

function refusalOf(refused: Refused): ProblemError {
  switch (refused.outcome) {
    case 'unknown_member':
      return notFound();
    case 'changed_meanwhile':
      return versionChanged();
    case 'already_member':
      return alreadyMember();
    case 'last_owner':
      return conflict('last_owner', 'An organization keeps an owner: make somebody else one first.');
    case 'beyond_own_rights':
      return forbidden(`Nobody gives or takes what they have not: ${refused.lacked.join(', ')}.`);
  }
}

function alreadyMember(): ProblemError {
  return conflict('already_member', 'Somebody with that address is a member already.');
}

// Only operators are told whether an address has an account.
function explainAccount(error: unknown): never {
  if (error instanceof AppError && ['unknown_user', 'address_unconfirmed'].includes(error.code))
    throw conflict(error.code, error.message);
  throw error;
}
