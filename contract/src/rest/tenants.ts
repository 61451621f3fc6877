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
  status: z.enum(['active', 'suspended', 'closing', 'deleting']),
  closing: z
    .strictObject({
      since: timestamp,
      deleteAfter: timestamp.meta({ description: 'Until then it can be reopened.' }),
      by: z.enum(['tenant', 'operator', 'organization']).meta({
        description: 'Whoever closed it reopens it; an operator also what its owner has closed.',
      }),
    })
    .nullable(),
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
  closeTenant: {
    method: 'post',
    path: '/tenants/{tenantId}/close',
    tag: 'Tenants',
    summary: 'Close a tenant, to be deleted',
    description:
      'Nothing runs from then on, and what comes in is kept. After the installation’s time of grace everything of it is deleted; until then `reopenTenant` takes it back. Done by an owner or operator who has shown a factor within ten minutes, not by an API key.',
    needs: 'tenant:admin',
    answer: { status: 200, body: tenant },
    isVersioned: true,
  },
  reopenTenant: {
    method: 'post',
    path: '/tenants/{tenantId}/reopen',
    tag: 'Tenants',
    summary: 'Take the closing of a tenant back',
    description: 'Everything is as it was; what was kept meanwhile is answered.',
    needs: 'tenant:admin',
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
