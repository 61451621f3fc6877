import type { Uuid } from '#domain/ids.ts';
import type { TranscriptMessage, Transcripts } from '#gateways/journey.ts';
import type { Scopes } from '#tenancy/scopes.ts';

type Row = {
  id: string;
  sequence: number;
  revision: number;
  role: TranscriptMessage['role'];
  text: string;
  content: Record<string, unknown>;
  client_id: string | null;
  in_reply_to_id: string | null;
  created_at: string;
};

/** Reads conversations, one round trip a call, under the tenant that the caller was proven to belong to. */
export function createTranscripts(scopes: Scopes): Transcripts {
  return {
    async page({ tenantId, conversationId }, { after, before, limit }) {
      const parameters = [tenantId, conversationId, after ?? null, before ?? null, limit];
      const [row] = await scopes.call<{ read_messages_v1: Row[] }>('swarmgate.read_messages_v1', parameters);
      return (row?.read_messages_v1 ?? []).map(readRow);
    },

    async changes({ tenantId, conversationId }, afterRevision, limit) {
      const parameters = [tenantId, conversationId, afterRevision ?? null, limit];
      const [row] = await scopes.call<{ read_changes_v1: { head: number; changes: Row[] } }>(
        'swarmgate.read_changes_v1',
        parameters,
      );
      return {
        head: row?.read_changes_v1.head ?? 0,
        changes: (row?.read_changes_v1.changes ?? []).map(readRow),
      };
    },

    async latestConversation(tenantId, channelId, participantExternalId) {
      const parameters = [tenantId, channelId, participantExternalId];
      const [row] = await scopes.call<{ latest_conversation_v1: Uuid | null }>(
        'swarmgate.latest_conversation_v1',
        parameters,
      );
      return row?.latest_conversation_v1 ?? undefined;
    },
  };
}

function readRow(row: Row): TranscriptMessage {
  return {
    id: row.id,
    sequence: row.sequence,
    revision: row.revision,
    role: row.role,
    text: row.text,
    content: row.content,
    clientId: row.client_id ?? undefined,
    inReplyToId: row.in_reply_to_id ?? undefined,
    createdAt: new Date(row.created_at),
  };
}
