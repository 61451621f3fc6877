import { newId } from '#domain/ids.ts';
import type { ReceiveChange } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { storableJson, storableText } from './storable.ts';

/**
 * Keeps edits, deletions and reactions as rows of their own, and does to the message that they name what they say: an
 * edit that comes before the answer is what gets answered, what is deleted before it needs no answer.
 */
export function createReceiveChange(scopes: Scopes): ReceiveChange {
  return async (at, change) => {
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
        newId(),
        storableText(change.kind === 'edit' ? change.text : change.kind === 'reaction' ? change.name : ''),
        storableJson(change.kind === 'reaction' ? { added: change.added } : {}),
      ],
    );
    return row?.receive_change_v1 ?? 'unknown';
  };
}
