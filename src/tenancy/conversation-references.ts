import type { ConversationReferences, KeptReference } from '#gateways/journey.ts';
import type { Scopes } from './scopes.ts';

/** How conversations are reached again, a row each; the database writes only what has changed. */
export function createConversationReferences(scopes: Scopes): ConversationReferences {
  const find = async (tenantId: string, channelId: string, conversation: string | null) => {
    const [row] = await scopes.call<{ find_reference_v1: StoredReference | null }>(
      'swarmgate.find_reference_v1',
      [tenantId, channelId, conversation],
    );
    return row?.find_reference_v1 ? open(row.find_reference_v1) : undefined;
  };
  return {
    async keep({ tenantId, channelId }, { conversationExternalId, reference, blockedReason }) {
      await scopes.call('swarmgate.keep_reference_v1', [
        ...[tenantId, channelId, conversationExternalId, JSON.stringify(reference), blockedReason ?? null],
      ]);
    },
    find: ({ tenantId, channelId }, conversation) => find(tenantId, channelId, conversation),
    findLatest: ({ tenantId, channelId }) => find(tenantId, channelId, null),
    async block({ tenantId, channelId }, { conversationExternalId, reference, blockedReason }) {
      await scopes.call('swarmgate.block_reference_v2', [
        ...[tenantId, channelId, conversationExternalId, JSON.stringify(reference), blockedReason],
      ]);
    },
  };
}

type StoredReference = { reference: Record<string, unknown>; blockedReason: string | null };

function open({ reference, blockedReason }: StoredReference): KeptReference {
  return { reference, ...(blockedReason !== null && { blockedReason }) };
}
