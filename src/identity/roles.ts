import {
  type BuiltinRole,
  type Permission,
  permissions,
  resources,
} from '@swarmgate/contract/rest/permissions.ts';

/** What each action includes besides itself. */
const included = { read: [], write: ['read'], execute: [], admin: ['read', 'write', 'execute'] } as const;

const reads = (...names: readonly string[]) => names.map((name) => `${name}:read` as Permission);

const viewer = reads(
  'agents',
  'channels',
  'conversations',
  'knowledge',
  'settings',
  'tools',
  'usage',
  'workflows',
);
const member: readonly Permission[] = [
  ...viewer,
  ...reads('memories'),
  'conversations:write',
  'agents:execute',
  'tools:execute',
  'workflows:execute',
];

/**
 * What the built-in roles may do. `viewer` looks on; `member` answers people and has agents, tools and workflows work;
 * `admin` runs the tenant; `owner` may also give it away or end it.
 */
export const builtinPermissions: Readonly<Record<BuiltinRole, readonly Permission[]>> = {
  viewer,
  member,
  admin: resources
    .filter((name) => name !== 'tenant')
    .map((name): Permission => `${name}:admin`)
    .concat('tenant:read', 'tenant:write'),
  owner: resources.map((name): Permission => `${name}:admin`),
};

const known: ReadonlySet<string> = new Set(permissions);

/**
 * A set of permissions with all that they include. What is not one (a row that a newer release wrote) grants nothing.
 */
export function expandPermissions(given: readonly string[]): ReadonlySet<Permission> {
  const all = new Set<Permission>();
  for (const one of given) {
    if (!known.has(one)) continue;
    const [resource, action] = one.split(':') as [string, keyof typeof included];
    all.add(one as Permission);
    for (const lesser of included[action]) all.add(`${resource}:${lesser}` as Permission);
  }
  return all;
}
