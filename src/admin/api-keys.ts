import type { ApiKey, apiKeyOperations } from '@swarmgate/contract/rest/api-keys.ts';
import type { Permission } from '@swarmgate/contract/rest/permissions.ts';
import { AppError } from '#domain/errors.ts';
import { toWire, type Uuid } from '#domain/ids.ts';
import {
  type ApiKeyRow,
  createApiKey,
  findApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from '#identity/api-keys.ts';
import { decideGrant } from '#identity/decide.ts';
import type { Principal } from '#identity/principal.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import type { Asked, HandlersOf } from './handler.ts';
import { conflict, forbidden, notFound } from './refusals.ts';

/** `forgetKey`: a key that was changed here is good or not at once. */
export function apiKeyHandlers(
  forgetKey: (tenantId: Uuid, prefix: string) => void,
): HandlersOf<typeof apiKeyOperations> {
  return {
    listApiKeys: {
      async inTenant({ query: { cursor, limit } }, unit) {
        const rows = await listApiKeys(unit, { before: readIdCursor(cursor), limit: limit + 1 });
        return { body: pageOf(rows, limit, ({ id }) => id, show) };
      },
    },
    createApiKey: {
      async inTenant({ tenantId, principal, grant, body: { name, permissions, expiresAt } }, unit) {
        refuseMore(grant, permissions);
        const { row, key } = await createApiKey(unit, {
          ...{ tenantId, name, permissions },
          createdBy: makerOf(principal),
          expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
        });
        return {
          body: { ...show(row), key },
          resourceId: toWire('apiKey', row.id),
          detail: { permissions },
        };
      },
    },
    getApiKey: {
      async inTenant({ ids }, unit) {
        const row = await findApiKey(unit, ids.apiKeyId);
        if (!row) throw notFound();
        return { body: show(row) };
      },
    },
    rotateApiKey: {
      async inTenant({ tenantId, ids, grant, body: { overlapSeconds } }, unit) {
        const old = await findApiKey(unit, ids.apiKeyId);
        if (!old) throw notFound();
        // Whoever has the new key may do what it permits, so they must be permitted that themselves.
        refuseMore(grant, old.permissions);
        const made = await rotateApiKey(unit, tenantId, ids.apiKeyId, overlapSeconds).catch(explainEnded);
        if (!made) throw notFound();
        return {
          body: { ...show(made.row), key: made.key },
          detail: { replacedBy: toWire('apiKey', made.row.id), overlapSeconds },
          afterwards: () => forgetKey(tenantId, made.oldPrefix),
        };
      },
    },
    revokeApiKey: {
      async inTenant({ tenantId, ids }, unit) {
        const row = await revokeApiKey(unit, ids.apiKeyId);
        if (!row) throw notFound();
        return { body: undefined, afterwards: () => forgetKey(tenantId, row.prefix) };
      },
    },
  };
}

// A key that makes a key hands on its own maker, whose rights bound that one too.
function makerOf(principal: Principal): Uuid | undefined {
  return principal.kind === 'user' ? principal.id : principal.makerId;
}

function refuseMore(grant: Asked['grant'], permissions: readonly Permission[]): void {
  const decision = decideGrant(grant, permissions);
  if (!decision.allowed) throw forbidden(decision.reason);
}

function explainEnded(error: unknown): never {
  if (error instanceof AppError && error.code === 'api_key_ended') throw conflict(error.code, error.message);
  throw error;
}

function show(row: ApiKeyRow): ApiKey {
  const { id, name, prefix, permissions, created_by, revoked_at, expires_at, replaced_by } = row;
  const isExpired = expires_at !== null && expires_at.getTime() <= Date.now();
  return {
    ...{ id: toWire('apiKey', id), name, prefix: `sgk_${prefix}`, permissions },
    status: revoked_at ? 'revoked' : isExpired ? 'expired' : 'active',
    createdBy: created_by && toWire('user', created_by),
    createdAt: row.created_at.toISOString(),
    expiresAt: expires_at?.toISOString() ?? null,
    revokedAt: revoked_at?.toISOString() ?? null,
    replacedBy: replaced_by && toWire('apiKey', replaced_by),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
