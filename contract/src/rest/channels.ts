import { z } from 'zod';
import { applyAgent, applyChannel } from '../apply-file.ts';
import { channelPlatforms, channelSchemas } from '../channels/catalog.ts';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { mergePatchOf } from './merge-patch.ts';
import { operations } from './operation.ts';

const secretNames = z
  .array(z.string())
  .meta({ description: 'Names of the secrets that are kept for it, never one of them.' });

export const channel = z.strictObject({
  id: wireId('channelId'),
  platform: z.enum(channelPlatforms),
  slug: z.string(),
  key: z.string().meta({ description: 'What its addresses carry.' }),
  status: z.string().meta({
    description:
      '`active`; `paused`: nothing goes out; `handed_over`: its accounts are another tenant’s; `removed`.',
  }),
  statusReason: z.string().nullable(),
  agentId: wireId('agentId').nullable().meta({ description: 'Null: the agent `default`.' }),
  settings: z.record(z.string(), z.unknown()).meta({
    description: 'What was given for it and is no secret, and what an installation has brought.',
  }),
  accounts: z
    .array(z.strictObject({ kind: z.string(), app: z.string(), key: z.string() }))
    .meta({ description: 'What of the outside world it has claimed; `app` is empty for the shared app.' }),
  secrets: secretNames,
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Channel = z.infer<typeof channel>;

export const agent = z.strictObject({
  id: wireId('agentId'),
  slug: z.string(),
  name: z.string(),
  isDefault: z
    .boolean()
    .meta({ description: 'It answers on every channel that names no other: its slug is `default`.' }),
  model: z.string(),
  instructions: z.string(),
  settings: z.record(z.string(), z.unknown()),
  baseUrl: z.string().nullable(),
  secrets: secretNames,
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Agent = z.infer<typeof agent>;

/** Whatever a channel of some platform is described by; which one it is does not change. */
const channelFields = new Set(channelSchemas.flatMap((schema) => Object.keys(schema.shape)));
channelFields.delete('platform');

/** So long is no secret of a platform. */
const secretLengthMax = 4_000;

export const channelOperations = operations({
  listChannels: {
    method: 'get',
    path: '/tenants/{tenantId}/channels',
    tag: 'Channels',
    summary: 'List the channels of a tenant',
    needs: 'channels:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(channel) }) },
  },
  createChannel: {
    method: 'post',
    path: '/tenants/{tenantId}/channels',
    tag: 'Channels',
    summary: 'Make a channel',
    description:
      'As in an apply file. Secrets are kept sealed and never shown. An account of a shared app is connected by the link of the channel, and not by its id. What another channel has claimed is refused (409 `account_claimed`).',
    needs: 'channels:write',
    body: applyChannel,
    answer: { status: 201, body: channel },
    isVersioned: true,
  },
  getChannel: {
    method: 'get',
    path: '/tenants/{tenantId}/channels/{channelId}',
    tag: 'Channels',
    summary: 'Look at a channel',
    needs: 'channels:read',
    answer: { status: 200, body: channel },
    isVersioned: true,
  },
  updateChannel: {
    method: 'patch',
    path: '/tenants/{tenantId}/channels/{channelId}',
    tag: 'Channels',
    summary: 'Change a channel',
    description:
      'Merges into what was given for it (RFC 7396): what is left out stays, secrets too; null takes away. A channel that was paused is active afterwards.',
    needs: 'channels:write',
    body: mergePatchOf(channelFields),
    answer: { status: 200, body: channel },
    isVersioned: true,
  },
  rotateChannelSecret: {
    method: 'post',
    path: '/tenants/{tenantId}/channels/{channelId}/rotate-secret',
    tag: 'Channels',
    summary: 'Put another secret in the place of one',
    description: '`name` is one of the channel’s `secrets`. It holds everywhere within a second.',
    needs: 'channels:write',
    body: z.strictObject({
      name: z.string().min(1).max(100),
      secret: z.string().min(1).max(secretLengthMax),
    }),
    answer: { status: 200, body: channel },
    isVersioned: true,
  },
  pauseChannel: {
    method: 'post',
    path: '/tenants/{tenantId}/channels/{channelId}/pause',
    tag: 'Channels',
    summary: 'Let nothing go out of a channel for now',
    description: 'What comes in is kept. What should go out waits for a day at most.',
    needs: 'channels:write',
    answer: { status: 200, body: channel },
    isVersioned: true,
  },
  resumeChannel: {
    method: 'post',
    path: '/tenants/{tenantId}/channels/{channelId}/resume',
    tag: 'Channels',
    summary: 'Let a paused channel go on',
    needs: 'channels:write',
    answer: { status: 200, body: channel },
    isVersioned: true,
  },
  createInstallLink: {
    method: 'post',
    path: '/tenants/{tenantId}/channels/{channelId}/install-link',
    tag: 'Channels',
    summary: 'Make the link by which somebody connects a Slack workspace or a Discord server',
    description: 'Whoever opens it within a week and may install apps there connects it to this channel.',
    needs: 'channels:write',
    answer: {
      status: 201,
      body: z.strictObject({
        url: z.string(),
        expiresAt: timestamp.nullable().meta({ description: 'Null: it connects nothing by itself.' }),
      }),
    },
  },
  removeChannel: {
    method: 'delete',
    path: '/tenants/{tenantId}/channels/{channelId}',
    tag: 'Channels',
    summary: 'Remove a channel',
    description:
      'Its accounts and its key are free from then on, its secrets gone. Its conversations stay, and can be read.',
    needs: 'channels:admin',
    answer: { status: 204 },
    isVersioned: true,
  },
  listAgents: {
    method: 'get',
    path: '/tenants/{tenantId}/agents',
    tag: 'Agents',
    summary: 'List the agents of a tenant',
    needs: 'agents:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(agent) }) },
  },
  createAgent: {
    method: 'post',
    path: '/tenants/{tenantId}/agents',
    tag: 'Agents',
    summary: 'Make an agent',
    description:
      'As in an apply file. The slug `default` makes it the one that answers on every channel that names no other.',
    needs: 'agents:write',
    body: applyAgent,
    answer: { status: 201, body: agent },
    isVersioned: true,
  },
  getAgent: {
    method: 'get',
    path: '/tenants/{tenantId}/agents/{agentId}',
    tag: 'Agents',
    summary: 'Look at an agent',
    needs: 'agents:read',
    answer: { status: 200, body: agent },
    isVersioned: true,
  },
  updateAgent: {
    method: 'patch',
    path: '/tenants/{tenantId}/agents/{agentId}',
    tag: 'Agents',
    summary: 'Change an agent',
    description:
      'Merges into what was given for it (RFC 7396): what is left out stays, null takes away. The key that is kept goes nowhere else: with another `baseUrl` or another provider, `apiKey` is given anew.',
    needs: 'agents:write',
    body: mergePatchOf(Object.keys(applyAgent.shape)),
    answer: { status: 200, body: agent },
    isVersioned: true,
  },
  deleteAgent: {
    method: 'delete',
    path: '/tenants/{tenantId}/agents/{agentId}',
    tag: 'Agents',
    summary: 'Remove an agent',
    description: 'One that a channel needs is not removed (409 `agent_in_use`).',
    needs: 'agents:write',
    answer: { status: 204 },
    isVersioned: true,
  },
});
