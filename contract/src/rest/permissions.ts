import { z } from 'zod';

/**
 * What may be done, as `resource:action`. Every operation of the API, every tool and every command names the one that it
 * needs; roles and API keys are sets of them.
 */

export const resources = [
  'agents',
  'api-keys',
  'audit',
  'channels',
  'conversations',
  'dead-letters',
  'knowledge',
  'members',
  'memories',
  'quotas',
  'roles',
  'settings',
  'tenant',
  'token-issuers',
  'tools',
  'usage',
  'webhooks',
  'workflows',
] as const;
export type Resource = (typeof resources)[number];

/**
 * `read`: look at it. `write`: make, change, remove. `execute`: have it do its work. `admin`: all of these, and what is
 * dear to undo (see each operation).
 */
export const actions = ['read', 'write', 'execute', 'admin'] as const;
export type Action = (typeof actions)[number];

export type Permission = `${Resource}:${Action}`;

export const permissions: readonly Permission[] = resources.flatMap((resource) =>
  actions.map((action): Permission => `${resource}:${action}`),
);

export const permission = z.enum(permissions).meta({
  description: '`resource:action`. `admin` includes the other actions, `write` includes `read`.',
});

/** The roles that every tenant has. */
export const builtinRoles = ['owner', 'admin', 'member', 'viewer'] as const;
export type BuiltinRole = (typeof builtinRoles)[number];
