import type { AgentDefinition } from '#agents/agent.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { agentSecretPlace } from './seal-places.ts';

/** An agent as it is stored: its key sealed, its base URL among the settings. */
export type SealedAgent = Omit<AgentDefinition, 'access' | 'settings'> & {
  settings: Record<string, unknown>;
  sealed: Record<string, string>;
};

/** Opens an agent's own key, for the one turn that it is about to answer. */
export function createOpenAgent(keyRing: KeyRing): (tenantId: string, agent: SealedAgent) => AgentDefinition {
  return (tenantId, { sealed, settings, ...agent }) => {
    const { baseUrl, ...bounds } = settings;
    const key = sealed['apiKey'];
    const access = {
      ...(key !== undefined && { apiKey: keyRing.open(key, agentSecretPlace(tenantId, agent.id, 'apiKey')) }),
      ...(typeof baseUrl === 'string' && { baseUrl }),
    };
    return { ...agent, settings: bounds, ...(Object.keys(access).length > 0 && { access }) };
  };
}
