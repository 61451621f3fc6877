import { z } from 'zod';
import { displayName, pageOf, pageQuery, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { permission } from './permissions.ts';

export const apiKey = z.strictObject({
  id: wireId('apiKeyId'),
  name: displayName,
  prefix: z.string().meta({ description: 'What the key begins with. The rest is not kept.' }),
  permissions: z.array(permission),
  status: z.enum(['active', 'expired', 'revoked']),
  createdBy: wireId('userId').nullable(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  revokedAt: timestamp.nullable(),
  replacedBy: wireId('apiKeyId').nullable(),
  lastUsedAt: timestamp.nullable().meta({ description: 'To the minute.' }),
});
export type ApiKey = z.infer<typeof apiKey>;

const newApiKey = z.strictObject({
  ...apiKey.shape,
  key: z.string().meta({ description: 'The key itself. It is shown this once.' }),
});

const grantedPermissions = z.array(permission).min(1).max(100);

/** How long an old key stays good while its successor is put in its place. */
const overlapSecondsMax = 30 * 24 * 3600;

export const apiKeyOperations = operations({
  listApiKeys: {
    method: 'get',
    path: '/tenants/{tenantId}/api-keys',
    tag: 'API keys',
    summary: 'List the keys of a tenant, the latest first',
    needs: 'api-keys:read',
    query: pageQuery,
    answer: { status: 200, body: pageOf(apiKey) },
  },
  createApiKey: {
    method: 'post',
    path: '/tenants/{tenantId}/api-keys',
    tag: 'API keys',
    summary: 'Make a key',
    description:
      'It may be permitted what whoever makes it is permitted, and never more than they are at the time of use.',
    needs: 'api-keys:write',
    body: z.strictObject({
      name: displayName,
      permissions: grantedPermissions,
      expiresAt: timestamp.optional(),
    }),
    answer: { status: 201, body: newApiKey },
  },
  getApiKey: {
    method: 'get',
    path: '/tenants/{tenantId}/api-keys/{apiKeyId}',
    tag: 'API keys',
    summary: 'Look at a key',
    needs: 'api-keys:read',
    answer: { status: 200, body: apiKey },
  },
  rotateApiKey: {
    method: 'post',
    path: '/tenants/{tenantId}/api-keys/{apiKeyId}/rotate',
    tag: 'API keys',
    summary: 'Make a key that takes the place of another',
    description: 'Both are good until the overlap is over.',
    needs: 'api-keys:write',
    body: z.strictObject({
      overlapSeconds: z
        .int()
        .min(0)
        .max(overlapSecondsMax)
        .default(24 * 3600),
    }),
    answer: { status: 201, body: newApiKey },
  },
  revokeApiKey: {
    method: 'delete',
    path: '/tenants/{tenantId}/api-keys/{apiKeyId}',
    tag: 'API keys',
    summary: 'End a key, everywhere within a second',
    needs: 'api-keys:write',
    answer: { status: 204 },
  },
});
