import { timingSafeEqual } from 'node:crypto';
import type { Uuid } from '#domain/ids.ts';
import { createExpiringCache } from '#kernel/expiring-cache.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { type HeldRoles, permissionsOf, rolesOf } from './grants.ts';
import { hashOfKey, parseKey } from './key-format.ts';
import type { Grant, Principal } from './principal.ts';
import { expandPermissions } from './roles.ts';

export type KeyCheck =
  | { ok: true; principal: Extract<Principal, { kind: 'api_key' }> }
  /** `unknown`: no such key, and nobody is told more. The others are told to whoever has the key itself. */
  | { ok: false; reason: 'unknown' }
  | { ok: false; reason: 'revoked' | 'expired' | 'maker_gone'; tenantId: Uuid; keyId: Uuid };

/** Proves API keys. `forget`: one that was changed here is looked at anew at once, and by other processes within a second. */
export type KeyAuthenticator = ((key: string) => Promise<KeyCheck>) & {
  forget(tenantId: Uuid, prefix: string): void;
};

type Maker = HeldRoles & { id: Uuid; isActive: boolean | null };

type FoundKey = {
  id: Uuid;
  secretHash: string;
  permissions: string[];
  isRevoked: boolean;
  isExpired: boolean;
  lastUsedAt: string | null;
  organizationId: Uuid;
  creator: Maker | null;
};

/** How long a key that was revoked elsewhere may still be good here. */
const validMs = 1_000;
const keysMax = 10_000;
const useNotedEveryMs = 60_000;

export function createKeyAuthenticator({
  scopes,
  logger,
}: {
  scopes: Scopes;
  logger: Logger;
}): KeyAuthenticator {
  const recent = createExpiringCache<FoundKey | undefined>(validMs, keysMax);

  const find = async (tenantId: Uuid, prefix: string) => {
    const [row] = await scopes.call<{ find_api_key_v1: FoundKey | null }>('swarmgate.find_api_key_v1', [
      tenantId,
      prefix,
    ]);
    return row?.find_api_key_v1 ?? undefined;
  };

  const noteUse = (tenantId: Uuid, found: FoundKey) => {
    if (found.lastUsedAt !== null && Date.now() - Date.parse(found.lastUsedAt) < useNotedEveryMs) return;
    found.lastUsedAt = new Date().toISOString();
    scopes
      .call('swarmgate.note_api_key_use_v1', [tenantId, found.id])
      .catch((error) => logger.debug({ err: error }, 'the use of an API key was not noted'));
  };

  const authenticate = async (key: string): Promise<KeyCheck> => {
    const parsed = parseKey(key);
    if (!parsed) return { ok: false, reason: 'unknown' };
    const { tenantId, prefix } = parsed;
    const found = await recent(`${tenantId}/${prefix}`, () => find(tenantId, prefix));
    if (!found || !timingSafeEqual(hashOfKey(key), Buffer.from(found.secretHash, 'hex')))
      return { ok: false, reason: 'unknown' };
    const refuse = (reason: 'revoked' | 'expired' | 'maker_gone'): KeyCheck => ({
      ...{ ok: false, reason, tenantId, keyId: found.id },
    });
    if (found.isRevoked) return refuse('revoked');
    if (found.isExpired) return refuse('expired');
    const grant = grantOf(found);
    if (!grant) return refuse('maker_gone');
    noteUse(tenantId, found);
    const { id, organizationId, creator } = found;
    return {
      ok: true,
      principal: { kind: 'api_key', id, tenantId, organizationId, makerId: creator?.id, grant },
    };
  };
  return Object.assign(authenticate, {
    forget: (tenantId: Uuid, prefix: string) => recent.forget(`${tenantId}/${prefix}`),
  });
}

// A key may do what it names, within what its maker may do now: who is demoted takes their keys along.
function grantOf({ permissions, creator }: FoundKey): Grant | undefined {
  const own = expandPermissions(permissions);
  if (!creator) return { permissions: own, source: 'the permissions of the API key' };
  const roles = creator.isActive ? rolesOf(creator) : [];
  if (roles.length === 0) return undefined;
  const makers = permissionsOf(roles);
  return {
    permissions: new Set([...own].filter((permission) => makers.has(permission))),
    source: 'the permissions of the API key, within those of the member who made it',
  };
}
