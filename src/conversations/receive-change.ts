import { newId, type Uuid } from '#domain/ids.ts';
import type { FileStore } from '#files/file-store.ts';
import type { ReceiveChange } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableJson, storableText } from './storable.ts';

export type ReceiveChangeParts = { scopes: Scopes; files: Pick<FileStore, 'delete'> };

/**
 * Keeps edits, deletions and reactions as rows of their own, and does to the message that they name what they say: an
 * edit that comes before the answer is what gets answered, what is deleted before it needs no answer.
 */
export function createReceiveChange({ scopes, files }: ReceiveChangeParts): ReceiveChange {
  return async (at, change) => {
    const id = newId();
    const [row] = await scopes.call<{ receive_change_v1: 'received' | 'duplicate' | 'unknown' }>(
      'swarmgate.receive_change_v1',
      [
        at.tenantId,
        at.channelId,
        storableText(change.key),
        change.kind,
        storableText(change.target.key),
        storableText(change.target.externalId),
        storableText(change.participantExternalId),
        id,
        storableText(change.kind === 'edit' ? change.text : change.kind === 'reaction' ? change.name : ''),
        storableJson(change.kind === 'reaction' ? { added: change.added } : {}),
      ],
    );
    const outcome = row?.receive_change_v1 ?? 'unknown';
    if (outcome === 'received' && change.kind === 'delete')
      await deleteFiles({ scopes, files }, at.tenantId, id);
    return outcome;
  };
}

// The rows are marked already; what is left is their bytes.
async function deleteFiles(
  { scopes, files }: ReceiveChangeParts,
  tenantId: Uuid,
  changeId: Uuid,
): Promise<void> {
  const rows = await scopes.inTenant(tenantId, (unit) =>
    unit.sql<{ id: Uuid }>(
      `SELECT f.id FROM swarmgate.messages m
         JOIN swarmgate.files f ON f.tenant_id = m.tenant_id AND f.message_id = m.target_message_id
         WHERE m.id = $1 AND f.deleted_at IS NULL`,
      [changeId],
    ),
  );
  for (const { id } of rows) await files.delete(tenantId, id);
}
