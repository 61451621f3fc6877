import { z } from 'zod';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { builtinRoles } from './permissions.ts';

/** A role that every tenant has by its name, or one of the tenant's own by its id. */
const roleChoice = z.union([z.enum(builtinRoles), wireId('roleId')]);

const member = z.strictObject({
  userId: wireId('userId'),
  email: z.string(),
  name: z.string(),
  status: z.enum(['active', 'disabled']),
  role: roleChoice,
  roleName: z.string(),
  version: z.int(),
  since: timestamp,
});

const invitation = z.strictObject({
  id: wireId('invitationId'),
  email: z.string(),
  role: roleChoice,
  invitedBy: wireId('userId').nullable(),
  createdAt: timestamp,
  expiresAt: timestamp,
});

const tag = 'Members';

export const memberOperations = operations({
  listMembers: {
    ...{ method: 'get', path: '/tenants/{tenantId}/members', tag, needs: 'members:read' },
    summary: 'List the members of a tenant, by address',
    answer: { status: 200, body: z.strictObject({ items: z.array(member) }) },
  },
  changeMemberRole: {
    ...{ method: 'patch', path: '/tenants/{tenantId}/members/{userId}', tag, needs: 'members:write' },
    summary: 'Give a member another role',
    description: 'People do, API keys do not; and nobody gives or takes more than they may do themselves.',
    body: z.strictObject({ role: roleChoice }),
    answer: { status: 204 },
    isVersioned: true,
  },
  removeMember: {
    ...{ method: 'delete', path: '/tenants/{tenantId}/members/{userId}', tag, needs: 'members:write' },
    summary: 'End a membership',
    answer: { status: 204 },
    isVersioned: true,
  },
  leaveTenant: {
    ...{ method: 'delete', path: '/tenants/{tenantId}/membership', tag, needs: 'nothing' },
    summary: 'End one’s own membership',
    answer: { status: 204 },
  },
  listInvitations: {
    ...{ method: 'get', path: '/tenants/{tenantId}/invitations', tag, needs: 'members:read' },
    summary: 'List the invitations that are open',
    answer: { status: 200, body: z.strictObject({ items: z.array(invitation) }) },
  },
  invite: {
    ...{ method: 'post', path: '/tenants/{tenantId}/invitations', tag, needs: 'members:write' },
    summary: 'Ask somebody to become a member',
    description:
      'The token is for whoever brings it to them. An earlier invitation of theirs is good no more.',
    body: z.strictObject({ email: z.string().min(3).max(320), role: roleChoice }),
    answer: {
      status: 201,
      body: z.strictObject({
        id: wireId('invitationId'),
        token: z.string().meta({ description: 'It is shown this once.' }),
        expiresAt: timestamp,
      }),
    },
  },
  revokeInvitation: {
    ...{
      method: 'delete',
      path: '/tenants/{tenantId}/invitations/{invitationId}',
      tag,
      needs: 'members:write',
    },
    summary: 'Take an invitation back',
    answer: { status: 204 },
  },
});
