import type {
  Conversation,
  conversationOperations,
  Message,
} from '@swarmgate/contract/rest/conversations.ts';
import type { AcceptedMessage, SendMessage } from '#conversations/send-message.ts';
import { NoSuchAddressError, type WriteFirst } from '#conversations/write-first.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import type { Scopes, Unit } from '#tenancy/scopes.ts';
import { pageOf, readIdCursor, readNumberCursor } from './cursor.ts';
import type { HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';

type ConversationRow = Pick<Conversation, 'platform' | 'status'> & {
  id: Uuid;
  channel_id: Uuid;
  external_id: string;
  participant: string;
  verified: boolean;
  name: string | null;
  waiting_for: string | null;
  last_message_at: Date | null;
  created_at: Date;
  is_removed: boolean;
};

type MessageRow = {
  id: Uuid;
  sequence: string;
  role: Message['role'];
  text: string;
  in_reply_to_id: Uuid | null;
  created_at: Date;
  delivery_state: string | null;
  error_code: string | null;
  sent_at: Date | null;
};

const conversations = `
  SELECT v.id, v.channel_id, c.platform, v.status, v.external_id, p.external_id AS participant, p.verified,
      p.profile ->> 'name' AS name, v.waiting_for, v.last_message_at, v.created_at, coalesce(c.removed_at, c.given_up_at) IS NOT NULL AS is_removed
    FROM swarmgate.conversations v
    JOIN swarmgate.channels c ON c.tenant_id = v.tenant_id AND c.id = v.channel_id
    JOIN swarmgate.participants p ON p.tenant_id = v.tenant_id AND p.id = v.participant_id`;

export function conversationHandlers(parts: {
  scopes: Scopes;
  sendMessage: SendMessage;
  writeFirst: WriteFirst;
}): HandlersOf<typeof conversationOperations> {
  return {
    listConversations: {
      async inTenant({ tenantId, query: { cursor, limit, channelId, status } }, unit) {
        const channel = channelId === undefined ? undefined : fromWire('channel', channelId);
        const rows = await unit.sql<ConversationRow>(
          `${conversations} WHERE v.tenant_id = $1 AND ($2::uuid IS NULL OR v.id < $2)
             AND ($3::uuid IS NULL OR v.channel_id = $3) AND ($4::text IS NULL OR v.status = $4)
             ORDER BY v.tenant_id DESC, v.id DESC LIMIT $5`,
          [tenantId, readIdCursor(cursor) ?? null, channel ?? null, status ?? null, limit + 1],
        );
        return { body: pageOf(rows, limit, ({ id }) => id, showConversation) };
      },
    },
    getConversation: {
      async inTenant({ tenantId, ids }, unit) {
        return { body: showConversation(await readConversation(unit, tenantId, ids.conversationId)) };
      },
    },
    listMessages: {
      async inTenant({ tenantId, ids, query: { cursor, limit } }, unit) {
        await readConversation(unit, tenantId, ids.conversationId);
        const rows = await unit.sql<MessageRow>(
          `SELECT m.id, m.sequence, m.role, m.text, m.in_reply_to_id, m.created_at,
               d.state AS delivery_state, d.error_code, d.sent_at
             FROM swarmgate.messages m
             LEFT JOIN swarmgate.deliveries d ON d.message_id = m.id AND d.tenant_id = m.tenant_id
             WHERE m.tenant_id = $1 AND m.conversation_id = $2 AND m.kind = 'message' AND m.state = 'final'
               AND m.sequence < coalesce($3::bigint, 9223372036854775807)
             ORDER BY m.conversation_id DESC, m.sequence DESC LIMIT $4`,
          [tenantId, ids.conversationId, readNumberCursor(cursor) ?? null, limit + 1],
        );
        const show = (row: MessageRow) => showMessage(ids.conversationId, row);
        return { body: pageOf(rows, limit, ({ sequence }) => Number(sequence), show) };
      },
    },
    sendMessage: {
      // As below.
      async alone({ tenantId, body: { channel, address, text }, key }) {
        const channelId = await parts.scopes.inTenant(tenantId, (unit) => findChannel(unit, channel));
        if (!channelId) throw conflict('no_such_channel', 'There is no channel of that slug or id.');
        const sent = await parts
          .writeFirst({ tenantId, channelId, address, key, text })
          .catch(explainAddress);
        return accepted(sent);
      },
    },
    answerConversation: {
      // Sending has a transaction of its own, and gives one key one effect.
      async alone({ tenantId, ids, body: { text }, key }) {
        const row = await parts.scopes.inTenant(tenantId, (unit) =>
          readConversation(unit, tenantId, ids.conversationId),
        );
        if (row.status !== 'open') throw conflict('conversation_closed', 'The conversation is closed.');
        if (row.is_removed)
          throw conflict('channel_removed', 'The channel of the conversation was removed, or handed over.');
        const sent = await parts.sendMessage(
          { tenantId, channelId: row.channel_id, platform: row.platform },
          {
            ...{ key, role: 'operator', text },
            conversationExternalId: row.external_id,
            participantExternalId: row.participant,
          },
        );
        return accepted(sent);
      },
    },
  };
}

function accepted({ messageId, conversationId, outcome }: AcceptedMessage) {
  const id = toWire('message', messageId);
  return {
    body: { id, conversationId: toWire('conversation', conversationId) },
    resourceId: toWire('conversation', conversationId),
    detail: { messageId: id, isRepeated: outcome === 'duplicate' },
  };
}

function explainAddress(error: unknown): never {
  if (error instanceof NoSuchAddressError) throw conflict(error.code, error.message);
  throw error;
}

async function findChannel(unit: Unit, slugOrId: string): Promise<Uuid | undefined> {
  const [row] = await unit.sql<{ id: Uuid }>(
    'SELECT id FROM swarmgate.channels WHERE (slug = $1 OR id = $2::uuid) AND removed_at IS NULL AND given_up_at IS NULL',
    [slugOrId, fromWire('channel', slugOrId) ?? null],
  );
  return row?.id;
}

async function readConversation(unit: Unit, tenantId: Uuid, id: Uuid): Promise<ConversationRow> {
  const [row] = await unit.sql<ConversationRow>(`${conversations} WHERE v.tenant_id = $1 AND v.id = $2`, [
    tenantId,
    id,
  ]);
  if (!row) throw notFound();
  return row;
}

function showConversation(row: ConversationRow): Conversation {
  return {
    id: toWire('conversation', row.id),
    channelId: toWire('channel', row.channel_id),
    ...{ platform: row.platform, status: row.status },
    participant: { externalId: row.participant, isVerified: row.verified, name: row.name },
    waitingFor: row.waiting_for,
    lastMessageAt: row.last_message_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}

function showMessage(conversationId: Uuid, row: MessageRow): Message {
  return {
    id: toWire('message', row.id),
    conversationId: toWire('conversation', conversationId),
    ...{ sequence: Number(row.sequence), role: row.role, text: row.text },
    inReplyTo: row.in_reply_to_id && toWire('message', row.in_reply_to_id),
    delivery: row.delivery_state
      ? { state: row.delivery_state, errorCode: row.error_code, sentAt: row.sent_at?.toISOString() ?? null }
      : null,
    createdAt: row.created_at.toISOString(),
  };
}
