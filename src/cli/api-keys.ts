import { type BuiltinRole, builtinRoles, type Permission } from '@swarmgate/contract/rest/permissions.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import { AppError } from '#domain/errors.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import { type ApiKeyRow, createApiKey, listApiKeys, revokeApiKey } from '#identity/api-keys.ts';
import { builtinPermissions } from '#identity/roles.ts';
import { enterTenant } from '#tenancy/enter-tenant.ts';
import type { PlatformUnit } from '#tenancy/scopes.ts';
import type { Storage } from '../storage.ts';

/** What an operator asks about the API keys of a tenant, which they name by its slug. */
export type ApiKeysWish = { tenant: string } & (
  | { act: 'create'; name: string; role?: BuiltinRole; permissions?: readonly Permission[]; days?: number }
  | { act: 'list' }
  | { act: 'revoke'; id: string }
);

export type ListedApiKey = {
  id: string;
  tenantId: string;
  name: string;
  prefix: string;
  permissions: readonly string[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  /** The key itself, of one that was just made. */
  key?: string;
};

class NoSuchKeyError extends AppError<'no_such_api_key'> {
  override readonly name = 'NoSuchKeyError';

  constructor(id: string) {
    super(
      'no_such_api_key',
      `${id.slice(0, 100)} is no API key of this tenant; see "swarmgate api-keys list".`,
    );
  }
}

const listedMax = 1_000;
const msPerDay = 86_400_000;

/** Does it, and tells the tenant's audit trail of it. Keys that an operator makes are bounded by nobody's role. */
export async function operateApiKeys(
  { scopes, keyRing }: Storage,
  wish: ApiKeysWish,
): Promise<ListedApiKey[]> {
  const trail = createAuditTrail({ scopes, keyRing });
  return scopes.inPlatform(async (unit) => {
    const tenantId = await enterTenant(unit, wish.tenant);
    const { listed, detail } = await act(unit, tenantId, wish);
    if (wish.act === 'list') return listed;
    const prepared = await trail.prepare(tenantId, {
      actor: { kind: 'operator' },
      action: `${wish.act}ApiKey`,
      resource: { kind: 'api-keys', ...(listed[0] && { id: listed[0].id }) },
      outcome: 'allowed',
      reason: 'By an operator, at the command line.',
      ...(detail && { detail }),
    });
    await trail.append(unit, tenantId, prepared);
    return listed;
  });
}

type Acted = { listed: ListedApiKey[]; detail?: Readonly<Record<string, unknown>> };

async function act(unit: PlatformUnit, tenantId: Uuid, wish: ApiKeysWish): Promise<Acted> {
  switch (wish.act) {
    case 'create': {
      const { name, role = 'admin', permissions = builtinPermissions[role], days } = wish;
      const expiresAt = days === undefined ? undefined : new Date(Date.now() + days * msPerDay);
      const { row, key } = await createApiKey(unit, {
        tenantId,
        name,
        permissions,
        createdBy: undefined,
        expiresAt,
      });
      return { listed: [{ ...describe(tenantId, row), key }] };
    }
    case 'list':
      return {
        listed: (await listApiKeys(unit, { before: undefined, limit: listedMax })).map((row) =>
          describe(tenantId, row),
        ),
      };
    case 'revoke': {
      const id = fromWire('apiKey', wish.id);
      const ended = id ? await revokeApiKey(unit, id) : [];
      const row = ended.find((one) => one.id === id);
      if (!row) throw new NoSuchKeyError(wish.id);
      return {
        listed: [describe(tenantId, row)],
        detail: {
          ended: ended.filter((key) => !key.was_revoked).map((key) => toWire('apiKey', key.id)),
        },
      };
    }
  }
}

export function isBuiltinRole(name: string): name is BuiltinRole {
  return (builtinRoles as readonly string[]).includes(name);
}

function describe(tenantId: Uuid, row: ApiKeyRow): ListedApiKey {
  return {
    tenantId: toWire('tenant', tenantId),
    ...{
      id: toWire('apiKey', row.id),
      name: row.name,
      prefix: `sgk_${row.prefix}`,
      permissions: row.permissions,
    },
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
