import { z } from 'zod';
import { settings } from '../settings.ts';
import { displayName, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { builtinRoles, permission } from './permissions.ts';

export const tenant = z.strictObject({
  id: wireId('tenantId'),
  organizationId: wireId('organizationId'),
  slug: z.string(),
  name: displayName,
  region: z.string(),
  status: z.enum(['active', 'suspended', 'closing']),
  settings,
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Tenant = z.infer<typeof tenant>;

export const tenantOperations = operations({
  getTenant: {
    method: 'get',
    path: '/tenants/{tenantId}',
    tag: 'Tenants',
    summary: 'Look at a tenant',
    needs: 'settings:read',
    answer: { status: 200, body: tenant },
    isVersioned: true,
  },
  updateTenant: {
    method: 'patch',
    path: '/tenants/{tenantId}',
    tag: 'Tenants',
    summary: 'Change the name or the settings of a tenant',
    description: '`settings` takes the place of all settings.',
    needs: 'settings:write',
    body: z.strictObject({ name: displayName.optional(), settings: settings.optional() }),
    answer: { status: 200, body: tenant },
    isVersioned: true,
  },
  explainAccess: {
    method: 'get',
    path: '/tenants/{tenantId}/access',
    tag: 'Access',
    summary: 'Say whether a permission is given in a tenant, and why',
    description: 'Of whoever calls, or of a role: `role=viewer`.',
    needs: 'nothing',
    query: z.strictObject({ permission, role: z.enum(builtinRoles).optional() }),
    answer: {
      status: 200,
      body: z.strictObject({ permission, allowed: z.boolean(), reason: z.string() }),
    },
  },
});
