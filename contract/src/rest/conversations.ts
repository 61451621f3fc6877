import { z } from 'zod';
import { channelPlatforms } from '../channels/catalog.ts';
import { pageOf, pageQuery, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

export const conversation = z.strictObject({
  id: wireId('conversationId'),
  channelId: wireId('channelId'),
  platform: z.enum(channelPlatforms),
  status: z.enum(['open', 'closed']),
  participant: z.strictObject({
    externalId: z.string().meta({ description: 'What the platform calls them.' }),
    isVerified: z.boolean(),
    name: z.string().nullable(),
  }),
  waitingFor: z.string().nullable().meta({ description: 'Why it does not go on by itself.' }),
  lastMessageAt: timestamp.nullable(),
  createdAt: timestamp,
});
export type Conversation = z.infer<typeof conversation>;

export const message = z.strictObject({
  id: wireId('messageId'),
  conversationId: wireId('conversationId'),
  sequence: z.int(),
  role: z.enum(['visitor', 'agent', 'operator', 'system']),
  text: z.string(),
  inReplyTo: wireId('messageId').nullable(),
  delivery: z
    .strictObject({ state: z.string(), errorCode: z.string().nullable(), sentAt: timestamp.nullable() })
    .nullable()
    .meta({ description: 'What became of it on its platform; null where nothing is delivered.' }),
  createdAt: timestamp,
});
export type Message = z.infer<typeof message>;

const messageText = z.string().min(1).max(40_000);

const acceptedMessage = z.strictObject({ id: wireId('messageId'), conversationId: wireId('conversationId') });

export const conversationOperations = operations({
  listConversations: {
    method: 'get',
    path: '/tenants/{tenantId}/conversations',
    tag: 'Conversations',
    summary: 'List conversations, the latest begun first',
    needs: 'conversations:read',
    query: z.strictObject({
      ...pageQuery.shape,
      channelId: wireId('channelId').optional(),
      status: z.enum(['open', 'closed']).optional(),
    }),
    answer: { status: 200, body: pageOf(conversation) },
  },
  getConversation: {
    method: 'get',
    path: '/tenants/{tenantId}/conversations/{conversationId}',
    tag: 'Conversations',
    summary: 'Look at a conversation',
    needs: 'conversations:read',
    answer: { status: 200, body: conversation },
  },
  listMessages: {
    method: 'get',
    path: '/tenants/{tenantId}/conversations/{conversationId}/messages',
    tag: 'Conversations',
    summary: 'Read a conversation, the latest message first',
    needs: 'conversations:read',
    query: pageQuery,
    answer: { status: 200, body: pageOf(message) },
  },
  sendMessage: {
    method: 'post',
    path: '/tenants/{tenantId}/messages',
    tag: 'Conversations',
    summary: 'Write to somebody, who need not have written before',
    description:
      'Begins the conversation if there is none. What may not go out (no consent, a closed window) is refused by its delivery.',
    needs: 'conversations:write',
    body: z.strictObject({
      channel: z.string().min(1).max(200).meta({ description: 'The slug or the id of a channel.' }),
      address: z.string().min(1).max(600).meta({
        description:
          'Twilio: `+15550100`, `whatsapp:+15550100`. Slack: `@U1`, `C1`. Discord: `@7`, `#42`. Teams: `@29:…`, `19:…`.',
      }),
      text: messageText.meta({ description: 'Markdown.' }),
    }),
    answer: { status: 202, body: acceptedMessage },
  },
  answerConversation: {
    method: 'post',
    path: '/tenants/{tenantId}/conversations/{conversationId}/messages',
    tag: 'Conversations',
    summary: 'Say something in a conversation, as a person of the team',
    description: 'With an `Idempotency-Key` it is said once, however often it is sent.',
    needs: 'conversations:write',
    body: z.strictObject({ text: messageText.meta({ description: 'Markdown.' }) }),
    answer: { status: 202, body: acceptedMessage },
  },
});
