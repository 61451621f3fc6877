import type { SealPlace } from '#kernel/key-ring.ts';

/** Where a channel's secret is bound to: it opens in this row and nowhere else. */
export function channelSecretPlace(tenantId: string, channelId: string, name: string): SealPlace {
  return { tenantId, table: 'channels', column: `${channelId}/${name}` };
}

/** Where an agent's secret is bound to. */
export function agentSecretPlace(tenantId: string, agentId: string, name: string): SealPlace {
  return { tenantId, table: 'agents', column: `${agentId}/${name}` };
}
