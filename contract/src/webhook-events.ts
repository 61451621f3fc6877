import { z } from 'zod';
import { timestamp } from './rest/common.ts';
import { wireId } from './rest/ids.ts';
import type { Permission } from './rest/permissions.ts';

/**
 * What webhooks tell of. An event names what it is about by ids, which are looked up with the REST API; the text of a
 * message goes along only where an endpoint asks for it.
 *
 * A type keeps its meaning and its fields. Fields may be added, so a receiver takes no offence at one that it does not
 * know; what cannot be added to becomes a type of another name.
 */

type WebhookEvent = {
  summary: string;
  /** What whoever has it told must be permitted to read. */
  reads: Permission;
  data: z.ZodObject;
};

const turnId = z.string().regex(/^trn_[0-9a-f]{32}$/);
const deliveryId = z.string().regex(/^dlv_[0-9a-f]{32}$/);

const conversation = { conversationId: wireId('conversationId'), channelId: wireId('channelId') };
const said = {
  ...conversation,
  messageId: wireId('messageId'),
  sequence: z.int().meta({ description: 'Its place in the conversation.' }),
};
const text = {
  text: z.string().optional().meta({
    description:
      'Only for endpoints with `includeText`: as it is when it is sent. Absent once the message was deleted.',
  }),
  isTextCut: z.literal(true).optional().meta({ description: 'There is more of it; the API has the rest.' }),
};
const error = z.string().meta({ description: 'Why, as a code.' });
const userId = wireId('userId');

const reads = {
  ofConversations: 'conversations:read',
  ofChannels: 'channels:read',
  ofMembers: 'members:read',
  ofKeys: 'api-keys:read',
  ofTenant: 'settings:read',
  ofSecurity: 'audit:read',
} as const satisfies Record<string, Permission>;

export const webhookEvents = {
  'conversation.started': {
    summary: 'A conversation has its first message',
    reads: reads.ofConversations,
    data: z.strictObject(conversation),
  },
  'message.received': {
    summary: 'Somebody has written, or pressed a button',
    reads: reads.ofConversations,
    data: z.strictObject({ ...said, kind: z.enum(['message', 'action']), ...text }),
  },
  'message.answered': {
    summary: 'An agent’s answer stands in its conversation',
    reads: reads.ofConversations,
    data: z.strictObject({ ...said, inReplyToId: wireId('messageId'), ...text }),
  },
  'turn.failed': {
    summary: 'The answer to a message was given up; it is among the dead letters',
    reads: reads.ofConversations,
    data: z.strictObject({ conversationId: conversation.conversationId, turnId, error }),
  },
  'delivery.failed': {
    summary: 'A platform has not taken a message; it is among the dead letters',
    reads: reads.ofConversations,
    data: z.strictObject({ conversationId: conversation.conversationId, deliveryId, error }),
  },
  'channel.status_changed': {
    summary: 'A channel was paused, or goes on',
    reads: reads.ofChannels,
    data: z.strictObject({ channelId: conversation.channelId, status: z.enum(['active', 'paused']) }),
  },
  'member.added': {
    summary: 'Somebody has become a member',
    reads: reads.ofMembers,
    data: z.strictObject({ userId }),
  },
  'member.removed': {
    summary: 'Somebody is no member any more',
    reads: reads.ofMembers,
    data: z.strictObject({ userId }),
  },
  'member.role_changed': {
    summary: 'A member has another role',
    reads: reads.ofMembers,
    data: z.strictObject({ userId, from: z.string(), to: z.string() }),
  },
  'invitation.accepted': {
    summary: 'Somebody who was asked has come',
    reads: reads.ofMembers,
    data: z.strictObject({ invitationId: wireId('invitationId'), userId }),
  },
  'api_key.created': {
    summary: 'There is a new API key',
    reads: reads.ofKeys,
    data: z.strictObject({
      apiKeyId: wireId('apiKeyId'),
      replaces: wireId('apiKeyId').optional().meta({ description: 'The key whose place it takes.' }),
    }),
  },
  'api_key.revoked': {
    summary: 'An API key was ended',
    reads: reads.ofKeys,
    data: z.strictObject({ apiKeyId: wireId('apiKeyId') }),
  },
  'tenant.suspended': {
    summary: 'The tenant was suspended; this is sent when it goes on',
    reads: reads.ofTenant,
    data: z.strictObject({}),
  },
  'tenant.resumed': {
    summary: 'The tenant goes on',
    reads: reads.ofTenant,
    data: z.strictObject({}),
  },
  'security.cross_tenant_attempt': {
    summary: 'An API key of the tenant’s was used to reach for another tenant',
    reads: reads.ofSecurity,
    data: z.strictObject({ apiKeyId: wireId('apiKeyId'), operation: z.string() }),
  },
  'security.refresh_token_reused': {
    summary:
      'A refresh token for this tenant came twice: somebody else may have it, and its family was ended',
    reads: reads.ofSecurity,
    data: z.strictObject({ userId }),
  },
} as const satisfies Record<string, WebhookEvent>;

export type WebhookEventType = keyof typeof webhookEvents;
export type WebhookData<Type extends WebhookEventType> = z.input<(typeof webhookEvents)[Type]['data']>;

export const webhookEventTypes = Object.keys(webhookEvents) as [WebhookEventType, ...WebhookEventType[]];

/** What a test is sent as. It goes to one endpoint, whatever that wants to be told of. */
export const webhookPing = { summary: 'A test', data: z.strictObject({}) };

/** The body of a webhook. */
export function webhookPayload<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.strictObject({
    type: z.literal(type),
    version: z.literal(1),
    timestamp: timestamp.meta({ description: 'When it happened, which may be long before it is sent.' }),
    tenantId: wireId('tenantId'),
    data,
  });
}

/** A secret of 24 to 64 bytes, as receivers are given it and the libraries of Standard Webhooks take it. */
export const webhookSecret = z.string().regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/);
