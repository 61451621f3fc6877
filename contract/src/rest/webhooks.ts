import { z } from 'zod';
import { webhookEventTypes, webhookSecret } from '../webhook-events.ts';
import { pageOf, pageQuery, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

/** Which events an endpoint is told of: some types, or every one that there is or will be. */
export const webhookEventChoice = z
  .array(z.enum(['*', ...webhookEventTypes]))
  .min(1)
  .max(webhookEventTypes.length)
  .refine((types) => types.length === 1 || !types.includes('*'), { message: '"*" stands alone' })
  .refine((types) => new Set(types).size === types.length, { message: 'names a type twice' })
  .meta({ description: 'Types of events, or `["*"]` for every one, also those that are yet to come.' });

const url = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .meta({ description: 'An https address of the public internet.' });

export const webhookDescription = z
  .string()
  .trim()
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line');

const includeText = z.boolean().meta({
  description: 'Whether the text of messages goes along. Who asks for it must be permitted to read them.',
});

const webhook = z.strictObject({
  id: wireId('webhookId'),
  url: z.string(),
  description: z.string(),
  eventTypes: z.array(z.string()),
  includeText: z.boolean(),
  status: z.enum(['enabled', 'disabled']),
  disabledReason: z.enum(['requested', 'gone', 'failing']).nullable().meta({
    description: '`gone`: it answered 410. `failing`: it has taken nothing for days.',
  }),
  failingSince: timestamp.nullable().meta({ description: 'Since when no attempt has gone through.' }),
  previousSecretUntil: timestamp.nullable().meta({
    description: 'Until then what is sent is signed by the secret before this one too.',
  }),
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Webhook = z.infer<typeof webhook>;

const withSecret = z.strictObject({
  ...webhook.shape,
  secret: webhookSecret.meta({ description: 'What signatures are verified with. It is shown this once.' }),
});

const delivery = z.strictObject({
  eventId: wireId('eventId').meta({ description: 'What is sent as `webhook-id`.' }),
  eventType: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  status: z.int().nullable().meta({ description: 'What the latest attempt was answered.' }),
  errorCode: z.string().nullable(),
  occurredAt: timestamp,
  nextAttemptAt: timestamp.nullable(),
  finishedAt: timestamp.nullable(),
});
export type WebhookDelivery = z.infer<typeof delivery>;

const attempt = z.strictObject({
  number: z.int(),
  startedAt: timestamp,
  durationMs: z.int().nullable(),
  outcome: z.enum(['delivered', 'failed', 'interrupted']).meta({
    description: '`interrupted`: whoever made it died meanwhile. It may have arrived, and was made again.',
  }),
  status: z.int().nullable(),
  errorCode: z.string().nullable(),
  answer: z.string().nullable().meta({ description: 'How the answer began: 1,024 bytes at most.' }),
});
export type WebhookAttempt = z.infer<typeof attempt>;

/** How long a secret that was replaced may go on signing. */
const overlapSecondsMax = 24 * 3600;

const tag = 'Webhooks';

export const webhookOperations = operations({
  listWebhooks: {
    ...{ method: 'get', path: '/tenants/{tenantId}/webhooks', tag, needs: 'webhooks:read' },
    summary: 'List the endpoints of a tenant, the latest first',
    answer: { status: 200, body: z.strictObject({ items: z.array(webhook) }) },
  },
  createWebhook: {
    ...{ method: 'post', path: '/tenants/{tenantId}/webhooks', tag, needs: 'webhooks:write' },
    summary: 'Have an endpoint told of events',
    description:
      'Of what happens from then on, and of what whoever asks may read themselves. A tenant has 20 at most.',
    body: z.strictObject({
      url,
      eventTypes: webhookEventChoice,
      description: webhookDescription.default(''),
      includeText: includeText.default(false),
    }),
    answer: { status: 201, body: withSecret },
    isVersioned: true,
  },
  getWebhook: {
    ...{ method: 'get', path: '/tenants/{tenantId}/webhooks/{webhookId}', tag, needs: 'webhooks:read' },
    summary: 'Look at an endpoint',
    answer: { status: 200, body: webhook },
    isVersioned: true,
  },
  updateWebhook: {
    ...{ method: 'patch', path: '/tenants/{tenantId}/webhooks/{webhookId}', tag, needs: 'webhooks:write' },
    summary: 'Change an endpoint, stop it, or let it go on',
    description:
      'Whoever stops one need not be permitted what it is told of; every other change needs that. What waits when an endpoint is stopped counts as failed, and can be replayed.',
    body: z.strictObject({
      url: url.optional(),
      eventTypes: webhookEventChoice.optional(),
      description: webhookDescription.optional(),
      includeText: includeText.optional(),
      status: z.enum(['enabled', 'disabled']).optional(),
    }),
    answer: { status: 200, body: webhook },
    isVersioned: true,
  },
  deleteWebhook: {
    ...{ method: 'delete', path: '/tenants/{tenantId}/webhooks/{webhookId}', tag, needs: 'webhooks:write' },
    summary: 'Take an endpoint away, with the record of what was sent to it',
    answer: { status: 204 },
    isVersioned: true,
  },
  rotateWebhookSecret: {
    method: 'post',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/rotate',
    tag,
    summary: 'Give an endpoint another secret',
    description: 'Until the overlap is over both sign what is sent.',
    needs: 'webhooks:write',
    body: z.strictObject({
      overlapSeconds: z.int().min(0).max(overlapSecondsMax).default(overlapSecondsMax),
    }),
    answer: { status: 200, body: withSecret },
    isVersioned: true,
  },
  testWebhook: {
    method: 'post',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/test',
    tag,
    summary: 'Send an endpoint a `ping`',
    needs: 'webhooks:execute',
    answer: { status: 202, body: z.strictObject({ eventId: wireId('eventId') }) },
  },
  listWebhookDeliveries: {
    method: 'get',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/deliveries',
    tag,
    summary: 'List what was sent to an endpoint, or waits to be; the latest first',
    description: 'For 30 days.',
    needs: 'webhooks:read',
    query: z.strictObject({
      ...pageQuery.shape,
      state: delivery.shape.state.optional(),
      eventType: z.string().max(100).optional(),
    }),
    answer: { status: 200, body: pageOf(delivery) },
  },
  listWebhookAttempts: {
    method: 'get',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/deliveries/{eventId}/attempts',
    tag,
    summary: 'List the attempts to send an event to an endpoint',
    needs: 'webhooks:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(attempt) }) },
  },
  replayWebhook: {
    method: 'post',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/deliveries/{eventId}/replay',
    tag,
    summary: 'Send an event to an endpoint once more, with the same `webhook-id`',
    needs: 'webhooks:execute',
    answer: { status: 202 },
  },
  replayFailedWebhooks: {
    method: 'post',
    path: '/tenants/{tenantId}/webhooks/{webhookId}/replay',
    tag,
    summary: 'Send an endpoint what has failed since a time once more',
    description: 'Up to 1,000 at a time, the oldest first; `hasMore` says whether to ask again.',
    needs: 'webhooks:execute',
    body: z.strictObject({ since: timestamp }),
    answer: { status: 202, body: z.strictObject({ replayed: z.int(), hasMore: z.boolean() }) },
  },
});
