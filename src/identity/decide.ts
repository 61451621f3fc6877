import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { lackedBy } from './grants.ts';
import type { Grant } from './principal.ts';
import { expandPermissions } from './roles.ts';

/** A decision, with its reason in a sentence: for the audit trail, and for whoever asks why. */
export type Decision =
  | { allowed: true; reason: string }
  /** `no_access`: the tenant or organization is none of theirs, and is not to be told from one that does not exist. */
  | { allowed: false; code: 'no_access' | 'missing_permission'; reason: string };

/**
 * THE decision: whether who holds `grant` in a tenant, or over an organization, may do what needs `needed` there. Without a
 * grant nothing is allowed, and with one only what it names.
 */
export function decide<Permissions extends string = Permission>(
  grant: Grant<Permissions> | undefined,
  needed: NoInfer<Permissions>,
  place: 'tenant' | 'organization' = 'tenant',
): Decision {
  if (!grant) return { allowed: false, code: 'no_access', reason: `They have no access to this ${place}.` };
  return grant.permissions.has(needed)
    ? { allowed: true, reason: `${needed} is permitted by ${grant.source}.` }
    : {
        allowed: false,
        code: 'missing_permission',
        reason: `${needed} is needed; it is not permitted by ${grant.source}.`,
      };
}

/** Whether who holds `grant` may hand these permissions on: nobody gives what they have not. */
export function decideGrant(grant: Grant, handedOn: readonly Permission[]): Decision {
  const missing = lackedBy(grant, expandPermissions(handedOn));
  return missing.length === 0
    ? { allowed: true, reason: 'Who gives them has all of them.' }
    : {
        allowed: false,
        code: 'missing_permission',
        reason: `Nobody can give what they have not: ${missing.join(', ')} (by ${grant.source}).`,
      };
}
