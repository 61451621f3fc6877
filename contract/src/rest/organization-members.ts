import { z } from 'zod';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { organizationRole } from './organization-permissions.ts';

const member = z.strictObject({
  userId: wireId('userId'),
  email: z.string(),
  name: z.string(),
  status: z.enum(['active', 'disabled']),
  role: organizationRole,
  version: z.int(),
  since: timestamp,
});

const invitation = z.strictObject({
  id: wireId('organizationInvitationId'),
  email: z.string(),
  role: organizationRole,
  invitedBy: wireId('userId').nullable(),
  createdAt: timestamp,
  expiresAt: timestamp,
});

const email = z.string().min(3).max(320);
const tag = 'Organizations';
const members = '/organizations/{organizationId}/members';
const invitations = '/organizations/{organizationId}/invitations';

export const organizationMemberOperations = operations({
  listOrganizationMembers: {
    ...{ method: 'get', path: members, tag, needs: 'organization-members:read' },
    summary: 'List the members of an organization, by address',
    answer: { status: 200, body: z.strictObject({ items: z.array(member) }) },
  },
  addOrganizationMember: {
    ...{ method: 'post', path: members, tag, needs: 'organization:admin' },
    summary: 'Make somebody who has an account a member without asking them',
    description: 'An operator does. Others invite.',
    body: z.strictObject({ email, role: organizationRole }),
    answer: { status: 201, body: z.strictObject({ userId: wireId('userId') }) },
  },
  changeOrganizationMemberRole: {
    ...{
      method: 'patch',
      path: '/organizations/{organizationId}/members/{userId}',
      tag,
      needs: 'organization-members:write',
    },
    summary: 'Give a member of an organization another role',
    description: 'Nobody gives or takes more than they may do themselves.',
    body: z.strictObject({ role: organizationRole }),
    answer: { status: 204 },
    isVersioned: true,
  },
  removeOrganizationMember: {
    ...{
      method: 'delete',
      path: '/organizations/{organizationId}/members/{userId}',
      tag,
      needs: 'organization-members:write',
    },
    summary: 'End a membership of an organization',
    answer: { status: 204 },
    isVersioned: true,
  },
  leaveOrganization: {
    ...{
      method: 'delete',
      path: '/organizations/{organizationId}/membership',
      tag,
      needs: 'organization:read',
    },
    summary: 'End one’s own membership of an organization',
    answer: { status: 204 },
  },
  listOrganizationInvitations: {
    ...{ method: 'get', path: invitations, tag, needs: 'organization-members:read' },
    summary: 'List the invitations to an organization that are open',
    answer: { status: 200, body: z.strictObject({ items: z.array(invitation) }) },
  },
  inviteToOrganization: {
    ...{ method: 'post', path: invitations, tag, needs: 'organization-members:write' },
    summary: 'Ask somebody to help run an organization',
    description:
      'The token is for whoever brings it to them. An earlier invitation of theirs is good no more.',
    body: z.strictObject({ email, role: organizationRole }),
    answer: {
      status: 201,
      body: z.strictObject({
        id: wireId('organizationInvitationId'),
        token: z.string().meta({ description: 'It is shown this once.' }),
        expiresAt: timestamp,
      }),
    },
  },
  revokeOrganizationInvitation: {
    ...{
      method: 'delete',
      path: '/organizations/{organizationId}/invitations/{organizationInvitationId}',
      tag,
      needs: 'organization-members:write',
    },
    summary: 'Take an invitation to an organization back',
    answer: { status: 204 },
  },
});
