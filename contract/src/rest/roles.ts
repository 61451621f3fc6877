import { z } from 'zod';
import { displayName, slug, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { builtinRoles, permission } from './permissions.ts';

export const role = z.strictObject({
  id: wireId('roleId').nullable().meta({ description: 'Null for the roles that every tenant has.' }),
  slug,
  name: displayName,
  permissions: z.array(permission),
  isBuiltin: z.boolean(),
  version: z.int().nullable(),
  createdAt: timestamp.nullable(),
  updatedAt: timestamp.nullable(),
});
export type Role = z.infer<typeof role>;

const ownSlug = slug.refine((value) => !(builtinRoles as readonly string[]).includes(value), {
  message: 'is the name of a role that every tenant has',
});
const granted = z.array(permission).min(1).max(100);

export const roleOperations = operations({
  listRoles: {
    method: 'get',
    path: '/tenants/{tenantId}/roles',
    tag: 'Roles',
    summary: 'List the roles of a tenant: those that every tenant has, and its own',
    needs: 'roles:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(role) }) },
  },
  createRole: {
    method: 'post',
    path: '/tenants/{tenantId}/roles',
    tag: 'Roles',
    summary: 'Make a role of the tenant’s own',
    description: 'It may be permitted what whoever makes it is permitted.',
    needs: 'roles:write',
    body: z.strictObject({ slug: ownSlug, name: displayName, permissions: granted }),
    answer: { status: 201, body: role },
    isVersioned: true,
  },
  getRole: {
    method: 'get',
    path: '/tenants/{tenantId}/roles/{roleId}',
    tag: 'Roles',
    summary: 'Look at a role of the tenant’s own',
    needs: 'roles:read',
    answer: { status: 200, body: role },
    isVersioned: true,
  },
  updateRole: {
    method: 'patch',
    path: '/tenants/{tenantId}/roles/{roleId}',
    tag: 'Roles',
    summary: 'Change a role of the tenant’s own',
    needs: 'roles:write',
    body: z.strictObject({ name: displayName.optional(), permissions: granted.optional() }),
    answer: { status: 200, body: role },
    isVersioned: true,
  },
  deleteRole: {
    method: 'delete',
    path: '/tenants/{tenantId}/roles/{roleId}',
    tag: 'Roles',
    summary: 'Remove a role of the tenant’s own that nobody has',
    needs: 'roles:write',
    answer: { status: 204 },
    isVersioned: true,
  },
});
