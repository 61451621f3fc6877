import type { ApiKey, apiKeyOperations } from '@swarmgate/contract/rest/api-keys.ts';
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
import type { Principal } from '#identity/principal.ts';
import { pageOf, readIdCursor } from './cursor.ts';
import { refuseMore } from './hand-on.ts';
import type { HandlersOf } from './handler.ts';
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
      async inTenant(asked, unit) {
        const { tenantId, principal, body } = asked;
        const { name, permissions, expiresAt } = body;
        await refuseMore(unit, asked, permissions);
        const { row, key } = await createApiKey(unit, {
          ...{ tenantId, name, permissions, ...makerOf(principal) },
          expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
        }).catch(explainEnded);
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
      async inTenant(asked, unit) {
        const { tenantId, ids, principal } = asked;
        const { overlapSeconds } = asked.body;
        const old = await findApiKey(unit, ids.apiKeyId);
        if (!old) throw notFound();
        // Whoever has the new key may do what it permits, so they must be permitted that themselves.
        await refuseMore(unit, asked, old.permissions);
        const wish = { tenantId, id: ids.apiKeyId, overlapSeconds, ...makerOf(principal) };
        const made = await rotateApiKey(unit, wish).catch(explainEnded);
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
        const ended = await revokeApiKey(unit, ids.apiKeyId);
        if (ended.length === 0) throw notFound();
        return {
          body: undefined,
          detail: {
            ended: ended.filter((key) => !key.was_revoked).map(({ id }) => toWire('apiKey', id)),
          },
          afterwards: () => {
            for (const { prefix } of ended) forgetKey(tenantId, prefix);
          },
        };
      },
    },
  };
}

// Whose rights bound it, and what ends with it: a key that a key makes is its maker's, and goes when that key goes.
function makerOf(principal: Principal): { createdBy: Uuid | undefined; parentId: Uuid | undefined } {
  // Nobody's account is behind it, so there is nobody whose rights would bound the key for as long as it lives.
  if (principal.kind === 'token_subject')
    throw forbidden(
      'Whoever comes with a token of the tenant’s own issuer makes no keys: people and keys do.',
    );
  return principal.kind === 'user'
    ? { createdBy: principal.id, parentId: undefined }
    : { createdBy: principal.makerId, parentId: principal.id };
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
