import { z } from 'zod';
import { channelPlatforms } from '../channels/catalog.ts';
import { timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

export const channel = z.strictObject({
  id: wireId('channelId'),
  platform: z.enum(channelPlatforms),
  slug: z.string(),
  key: z.string().meta({ description: 'What its addresses carry.' }),
  status: z.string().meta({ description: '`active`, or why nothing goes in or out.' }),
  statusReason: z.string().nullable(),
  agentId: wireId('agentId').nullable(),
  secrets: z
    .array(z.string())
    .meta({ description: 'Names of the secrets that are kept for it, never one of them.' }),
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Channel = z.infer<typeof channel>;

export const agent = z.strictObject({
  id: wireId('agentId'),
  slug: z.string(),
  name: z.string(),
  model: z.string(),
  instructions: z.string(),
  secrets: z.array(z.string()),
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Agent = z.infer<typeof agent>;

export const channelOperations = operations({
  listChannels: {
    method: 'get',
    path: '/tenants/{tenantId}/channels',
    tag: 'Channels',
    summary: 'List the channels of a tenant',
    needs: 'channels:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(channel) }) },
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
  listAgents: {
    method: 'get',
    path: '/tenants/{tenantId}/agents',
    tag: 'Agents',
    summary: 'List the agents of a tenant',
    needs: 'agents:read',
    answer: { status: 200, body: z.strictObject({ items: z.array(agent) }) },
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
    needs: 'agents:write',
    body: z.strictObject({
      name: z.string().trim().min(1).max(200).optional(),
      instructions: z.string().max(100_000).optional(),
    }),
    answer: { status: 200, body: agent },
    isVersioned: true,
  },
});
