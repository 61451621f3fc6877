import { z } from 'zod';
import { channelSchemas } from './channels/catalog.ts';
import { builtinRoles } from './rest/permissions.ts';
import { webhookDescription, webhookEventChoice } from './rest/webhooks.ts';
import { settings } from './settings.ts';
import { webhookSecret } from './webhook-events.ts';

/** The file of `swarmgate apply`: what should exist. What it does not name stays as it is. */

const slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, '1 to 63 lower-case letters, digits and dashes');

/** Two of one name would be one of them, silently. */
function everySlugOnce(items: readonly { slug: string }[], context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { slug: name }] of items.entries()) {
    if (seen.has(name))
      context.addIssue({ code: 'custom', path: [index, 'slug'], message: `"${name}" stands here twice` });
    seen.add(name);
  }
}

/** An agent, as an apply file and the API give it. */
export const applyAgent = z.strictObject({
  slug,
  name: z.string().trim().min(1).max(200).optional(),
  model: z
    .string()
    .regex(
      /^(?:builtin\/(?:echo|answers)|(?:openai|anthropic|google|compatible)\/[\w.:/@-]{1,120})$/,
      'builtin/echo, builtin/answers, or openai/NAME, anthropic/NAME, google/NAME, compatible/NAME',
    ),
  instructions: z.string().max(100_000).default(''),
  apiKey: z.string().min(1).max(1_000).optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  settings: z
    .strictObject({
      historyTokensMax: z.int().min(100).max(1_000_000).optional(),
      outputTokensMax: z.int().min(1).max(1_000_000).optional(),
      turnTimeoutMs: z.int().min(1_000).max(600_000).optional(),
      idleTimeoutMs: z.int().min(1_000).max(300_000).optional(),
    })
    .default({}),
});

/** Where readers find a document: an address, or a path on the gateway itself (browsers read `/\` as `//`). */
const readerUrl = z.union([z.url({ protocol: /^https?$/ }), z.string().regex(/^\/(?![/\\])[^\s]*$/)], {
  error: 'an address that begins with https:// or http://, or a path of this service that begins with /',
});

const knowledge = z.strictObject({
  path: z.string().min(1),
  title: z.string().min(1).max(200).optional(),
  slug: slug.optional(),
  url: readerUrl.optional(),
});

/** A channel, as an apply file and the API give it. */
export const applyChannel = z.discriminatedUnion('platform', channelSchemas).superRefine((given, context) => {
  const { error } = slug.safeParse(given.slug);
  for (const issue of error?.issues ?? [])
    context.addIssue({ code: 'custom', path: ['slug'], message: issue.message });
});

/** What a tenant may use, where its plan's number is not its own. */
const quotas = z.strictObject({
  /** Conversations of the tenant that are answered at the same time; more wait for their turn. */
  concurrentConversations: z.int().min(1).max(10_000).optional(),
});

/** Somebody who belongs to the tenant. Mail is not sent: "swarmgate users link" makes what they choose a password with. */
const member = z.strictObject({
  email: z.email().max(254),
  role: z.enum(builtinRoles).default('member'),
});

/** Where the tenant's events are sent. */
const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  eventTypes: webhookEventChoice.default(['*']),
  description: webhookDescription.default(''),
  includeText: z.boolean().default(false),
  secret: webhookSecret.optional(),
});

function everyUrlOnce(items: readonly { url: string }[], context: z.core.$RefinementCtx): void {
  for (const [index, { url }] of items.entries())
    if (items.findIndex((item) => item.url === url) < index)
      context.addIssue({ code: 'custom', path: [index, 'url'], message: `"${url}" stands here twice` });
}

const tenant = z.strictObject({
  slug,
  name: z.string().min(1).max(200),
  region: z.string().min(1).max(40).default('local'),
  settings: settings.optional(),
  quotas: quotas.optional(),
  channels: z.array(applyChannel).superRefine(everySlugOnce).default([]),
  agents: z.array(applyAgent).superRefine(everySlugOnce).default([]),
  knowledge: z.array(knowledge).default([]),
  members: z.array(member).max(1_000).optional(),
  webhooks: z.array(webhook).max(20).superRefine(everyUrlOnce).optional(),
});

const organization = z.strictObject({
  slug,
  name: z.string().min(1).max(200),
  plan: z.string().min(1).max(40).default('free'),
  settings: settings.optional(),
  tenants: z.array(tenant).superRefine(everySlugOnce).default([]),
});

export const applyFile = z.strictObject({
  organizations: z.array(organization).min(1).superRefine(everySlugOnce),
});

export type ApplyFile = z.infer<typeof applyFile>;
export type ApplyOrganization = z.infer<typeof organization>;
export type ApplyTenant = z.infer<typeof tenant>;
export type ApplyChannel = z.infer<typeof applyChannel>;
export type ApplyAgent = z.infer<typeof applyAgent>;
export type ApplyKnowledge = z.infer<typeof knowledge>;
