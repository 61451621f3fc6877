import { z } from 'zod';

/**
 * What may be done with an organization itself. Nothing of it is anything in a tenant, and no role or API key of a tenant
 * has any of it.
 */
export const organizationPermissions = [
  /** Look at it, and at which tenants it has. */
  'organization:read',
  /** Rename it, and say what it asks of everybody in it. */
  'organization:write',
  /** What is between it and the installation: its plan, whom it is billed to, whom it takes without asking them. */
  'organization:admin',
  'organization-billing:read',
  'organization-members:read',
  'organization-members:write',
  /** The identity providers that its people sign in with, and the domains of their addresses. */
  'organization-sign-in:read',
  'organization-sign-in:write',
] as const;
export type OrganizationPermission = (typeof organizationPermissions)[number];

/** As what somebody runs an organization. */
export const organizationRoles = ['owner', 'admin', 'billing', 'viewer'] as const;
export type OrganizationRole = (typeof organizationRoles)[number];

export const organizationRole = z.enum(organizationRoles).meta({
  description:
    '`owner` and `admin` are that in each of its tenants too; `billing` and `viewer` are nothing in any.',
});
