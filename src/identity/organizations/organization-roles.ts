import {
  type OrganizationPermission,
  type OrganizationRole,
  organizationPermissions,
} from '@swarmgate/contract/rest/organization-permissions.ts';

const viewer: readonly OrganizationPermission[] = ['organization:read'];
const billing: readonly OrganizationPermission[] = [...viewer, 'organization-billing:read'];
const admin: readonly OrganizationPermission[] = [
  ...billing,
  'organization-members:read',
  'organization-members:write',
  'organization-sign-in:read',
];

/**
 * What each role may do with the organization itself: `viewer` looks on, `billing` also at whom it is billed to, `admin` says
 * who belongs to it, `owner` also what it asks of everybody and how they sign in. What is between it and the installation is nobody's of them.
 */
const permissionsByRole: Readonly<Record<OrganizationRole, readonly OrganizationPermission[]>> = {
  viewer,
  billing,
  admin,
  owner: [...admin, 'organization:write', 'organization-sign-in:write'],
};

/** What a role permits; one that is none (a row that a newer release wrote) permits nothing. */
export function permissionsOfOrganizationRole(role: string): ReadonlySet<OrganizationPermission> {
  return new Set((permissionsByRole as Readonly<Record<string, typeof admin>>)[role] ?? []);
}

/** What an operator of the installation may do with any organization. */
export const operatorsOrganizationPermissions: ReadonlySet<OrganizationPermission> = new Set(
  organizationPermissions,
);

/** To decide over others' access, or over what is asked of them, is what admins do. */
export function isOrganizationAdminLevel(held: ReadonlySet<OrganizationPermission>): boolean {
  return [...held].some((permission) => !permission.endsWith(':read'));
}
